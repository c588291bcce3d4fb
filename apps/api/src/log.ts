import { maskSecretsIn, maskTokensIn } from '@rexdeploy/shared/mask';
import { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { type DestinationStream, pino } from 'pino';

const TOKEN_PARAMETER = /([?&]token=)(?!\d{10}…)[^&]*/g;
/** Without one of these an address has no parameters, not even encoded ones. */
const PARAMETERS = /[?&%]/;

/** An address as it may be logged: good tokens are masked, whatever else stands in their place is left out. */
export const loggedUrl = (url: string): string =>
  PARAMETERS.test(url) ? maskSecretsIn(url).replaceAll(TOKEN_PARAMETER, '$1…') : maskTokensIn(url);

/** JSON lines on stderr. A request is told by its method and address: no headers, no body. */
export function makeLog(level = 'info'): FastifyBaseLogger {
  const serializers = {
    req: ({ method, url, ip }: FastifyRequest) => ({ method, url: loggedUrl(url), ip }),
  };
  return pino({ name: 'api', level, serializers }, gathered(pino.destination(2)));
}

/** Longest that a line of no concern waits for others to leave with. */
const GATHER_MS = 50;
/** So many characters leave at once, a pipe's worth. */
const GATHER_SIZE = 32 * 1024;
const OF_NO_CONCERN = '{"level":30,';

/** Lines leave together: a write for each poll would cost as much as the poll. What is more than information leaves at once. */
function gathered(out: DestinationStream): DestinationStream {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== '') out.write(lines);
    lines = '';
  };
  process.on('exit', flush);
  return {
    write: (line) => {
      lines += line;
      if (lines.length > GATHER_SIZE || !line.startsWith(OF_NO_CONCERN)) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
    },
  };
}

const LOOKS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * A request has a line when it comes and one when it is answered; one that only looks has all in the latter. Of one whose client
 * leaves first the latter never comes: see `logLeft`.
 */
export class RequestLog extends LogController {
  override incomingRequest(request: FastifyRequest, reply: FastifyReply): void {
    if (!LOOKS.has(request.method)) super.incomingRequest(request, reply);
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const facts = { req: request, res: reply, responseTime: reply.elapsedTime };
    if (!LOOKS.has(request.method)) super.requestCompleted(error, request, reply);
    else if (error) reply.log.error({ ...facts, err: error }, 'request errored');
    else reply.log.info(facts, 'request completed');
  }
}

/** The last line of a request whose client left before it was answered whole; a stream is answered whole when it has ended. */
export function logLeft(reply: FastifyReply): void {
  reply.log.info({ req: reply.request, responseTime: reply.elapsedTime }, 'request left');
}
