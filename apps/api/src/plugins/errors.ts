import { refusal } from '@rexdeploy/shared/api/answer';
import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import type { RefusedToken } from '@rexdeploy/shared/api/original';
import {
  MediaTypeError,
  NameBusyError,
  NotFoundError,
  ParameterError,
  RequestError,
  TooLargeError,
  UnauthorizedError,
} from '@rexdeploy/shared/errors/request-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { frameOf } from '../answers/frame.js';
import { projected, styleOf } from '../answers/projection.js';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';

type Parts = Pick<ApiParts, 'config' | 'deployments'>;

/** Every refusal of the application; the only map from error to status and answer. No answer holds a stack. */
export const errors = fastifyPlugin(
  async (app: FastifyInstance, parts: Parts) => {
    app.setErrorHandler((error, request, reply) => sendRefusal(parts, error, request, reply));
    app.setNotFoundHandler((request) => {
      const [path = ''] = request.url.split('?');
      throw new NotFoundError({ what: `there is no ${request.method} ${quote(path)}` });
    });
  },
  { name: 'errors' },
);

/** Also for what fastify refuses before it finds a route. */
export async function sendRefusal(
  parts: Parts,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { status, headers, error } = toRefusal(thrown, request);
  log(request, status, thrown);
  const job = error instanceof NameBusyError ? await viewOf(parts, error.deploymentId) : undefined;
  const body: Envelope = refusal({ ...frameOf(request, reply, parts.config), job }, error, status === 400);
  return reply
    .code(status)
    .headers({ ...headers, ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}) })
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(projected(styleOf(request, parts.config), body, { status, token: tokenOf(error) })));
}

const tokenOf = (error: RexError): RefusedToken | undefined =>
  error instanceof UnauthorizedError ? error.token : undefined;

interface Refusal {
  status: number;
  headers: Record<string, string>;
  error: RexError;
}

function toRefusal(thrown: unknown, request: FastifyRequest): Refusal {
  const error = thrown instanceof RequestError ? thrown : fromFastify(thrown, request);
  if (error !== undefined) return { status: error.status, headers: error.headers, error };
  const what = `something went wrong inside; the log of the API tells more, under request ${request.id}`;
  return { status: 500, headers: {}, error: new RexError({ what, cause: thrown }) };
}

/** What fastify and its plugins refuse by themselves: all of it carries a status. */
function fromFastify(thrown: unknown, request: FastifyRequest): RequestError | undefined {
  if (!(thrown instanceof Error) || !('statusCode' in thrown) || typeof thrown.statusCode !== 'number')
    return undefined;
  const code = 'code' in thrown ? thrown.code : undefined;
  if (code === 'FST_ERR_BAD_URL') return new ParameterError({ what: 'the path has broken percent-encoding' });
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return new NotFoundError({ what: 'no path is that long' });
  switch (thrown.statusCode) {
    case 413:
      return new TooLargeError({ what: tooLarge(request), whatToDo: 'send less' });
    case 406:
    case 415:
      return wrongMediaType(request);
    default:
      return thrown.statusCode < 500 ? new ParameterError({ what: thrown.message, cause: thrown }) : undefined;
  }
}

function tooLarge(request: FastifyRequest): string {
  const length = request.headers['content-length'];
  const size = length === undefined ? 'the body' : `the body of ${length} bytes`;
  return `${size} is larger than the ${request.routeOptions.bodyLimit} bytes that are taken`;
}

/** @param expected media types that the route takes */
export function wrongMediaType(
  request: FastifyRequest,
  expected = 'application/x-www-form-urlencoded or application/json',
): MediaTypeError {
  const found = request.headers['content-type'];
  const what = found === undefined ? 'the body has no Content-Type' : `the Content-Type ${quote(found)} is not taken`;
  return new MediaTypeError({ what, whatToDo: `send ${expected}` });
}

async function viewOf({ deployments }: Parts, id: string): Promise<Envelope['job']> {
  try {
    return await deployments.view(await deployments.head(id));
  } catch {
    return undefined; // the refusal itself matters more than the view of the running job
  }
}

function log(request: FastifyRequest, status: number, thrown: unknown): void {
  if (status === 500) request.log.error({ err: thrown }, 'request failed');
  else request.log.info({ reason: thrown instanceof Error ? thrown.name : 'unknown' }, 'request refused');
}
