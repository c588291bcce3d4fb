import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { answer, refusal } from '@rexdeploy/shared/api/answer';
import type { Envelope, Leaves } from '@rexdeploy/shared/api/envelope-schema';
import { type RequestError, UnauthorizedError, UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import { envelope } from '@rexdeploy/shared/journal/envelope';
import type { JournalEvent } from '@rexdeploy/shared/journal/events';
import { fold } from '@rexdeploy/shared/journal/reduce';

/** An API that answers as the documented one does, but knows one job alone and misbehaves when told to. */
export interface StubApi extends AsyncDisposable {
  url: string;
  token: string;
  requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Lets the streams go on to the event of that number, or to the end. */
  give(events?: number): void;
  /** Cuts all connections that are open now, as an API does that is restarted. */
  cut(): void;
}

export interface Script {
  events: JournalEvent[];
  /** How many events each connection to the stream gives before it breaks; the ones after it give the rest. */
  breaksAfter?: number[];
  /** Answers this instead of accepting a deployment. */
  refuse?: RequestError;
  /** Connections to the stream that are answered with 503 first. */
  unavailable?: number;
  /** The streams give so many events at first, and wait for `give` then; also before the end. */
  given?: number;
  /** Rows of `GET /names`, and of `GET /packages`. */
  names?: Leaves;
  packages?: Leaves;
}

const SETTINGS = { timezone: 'Asia/Shanghai', printStdout: 0, directory: '/srv/rexdeploy' } as const;
const PACKAGE = { package: 'pkg-1', k: 'server', kind: 'program', instance: {}, created_at: '', by: 'ci' };
const TOKEN = `1772433470${'abcdefgh'.repeat(4)}`;

export async function startStubApi(script: Script): Promise<StubApi> {
  const requests: StubApi['requests'] = [];
  const breaks = [...(script.breaksAfter ?? [])];
  const given = new Given(script.given ?? Infinity);
  let unavailable = script.unavailable ?? 0;
  const frame = { param: {}, settings: SETTINGS, takeMs: 0 };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString('latin1') });
    const send = (status: number, body: Envelope): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const refuse = (error: RequestError): void => send(error.status, refusal(frame, error, error.status === 400));
    const job = jobOf(script.events);
    if (headers.authorization !== `Bearer ${TOKEN}`) return refuse(new UnauthorizedError({ what: 'unknown token' }));
    if (method === 'POST' && url === '/rex') {
      if (script.refuse !== undefined) return refuse(script.refuse);
      return send(202, jobOf(script.events.slice(0, 1)));
    }
    if (method === 'POST' && url === '/packages') {
      const stored = { ...PACKAGE, files: '3', size: '120', sha256: 'f'.repeat(64) };
      return send(200, answer(frame, { data: {}, msg: 'stored', ...stored }));
    }
    if (url.startsWith('/jobs?')) {
      const { progress, ...row } = job.job ?? { progress: {} };
      return send(200, answer(frame, { data: { '0': { ...row, progress } }, msg: '1', cursor: '' }));
    }
    if (url.startsWith('/names')) return send(200, answer(frame, { data: script.names ?? {}, msg: 'names' }));
    if (method === 'GET' && url.startsWith('/packages')) {
      return send(200, answer(frame, { data: script.packages ?? {}, msg: 'packages' }));
    }
    if (!url.endsWith('/events')) return send(200, job);
    if (unavailable > 0) {
      unavailable -= 1;
      return refuse(new UnavailableError({ what: 'Redis does not answer' }));
    }
    await stream(script.events, job, Number(headers['last-event-id'] ?? 0), breaks.shift(), given, response);
  };

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    token: TOKEN,
    requests,
    give: (events) => given.raise(events ?? Infinity),
    cut: () => server.closeAllConnections(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** How many events may be given, and who waits for more. */
class Given {
  readonly #changes = new EventEmitter();

  constructor(public count: number) {}

  raise(count: number): void {
    this.count = count;
    this.#changes.emit('more');
  }

  async more(): Promise<void> {
    await once(this.#changes, 'more');
  }
}

async function stream(
  events: JournalEvent[],
  end: Envelope,
  after: number,
  breakAfter: number | undefined,
  given: Given,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': heartbeat\n\n');
  const rest = events.map((event, index) => ({ id: index + 1, event })).slice(after, after + (breakAfter ?? Infinity));
  for (const { id, event } of rest) {
    while (id > given.count) await given.more();
    response.write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  while (breakAfter === undefined && given.count <= events.length) await given.more();
  // Half a message, as it stands when a proxy dies.
  if (breakAfter !== undefined) response.write('id: 99\nevent: log\nda', () => response.destroy());
  else response.end(`event: end\ndata: ${JSON.stringify({ type: 'end', at: new Date().toISOString(), ...end })}\n\n`);
}

function jobOf(events: JournalEvent[]): Envelope {
  const state = fold(events);
  if (state === undefined) throw new Error('a job has at least one event');
  return envelope(state, SETTINGS, state.lastMs);
}
