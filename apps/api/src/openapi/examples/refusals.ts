import { refusal } from '@rexdeploy/shared/api/answer';
import type { RefusalStatus } from '@rexdeploy/shared/api/route';
import { messages } from '@rexdeploy/shared/errors/messages';
import {
  ConflictError,
  ForbiddenError,
  KeyReusedError,
  MediaTypeError,
  NameBusyError,
  NotFoundError,
  ParameterError,
  RateLimitError,
  type RequestError,
  TooLargeError,
  UnauthorizedError,
  UnavailableError,
} from '@rexdeploy/shared/errors/request-errors';
import type { Examples } from './example.js';
import { frame } from './frame.js';
import { JOB_ID, running } from './job.js';

/** Refusals, made of the errors as the API makes them. */

const told = (error: RequestError, param: Record<string, string> = {}) =>
  refusal(
    { ...frame(param), job: error instanceof NameBusyError ? running.job : undefined },
    error,
    error.status === 400,
  );

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };

export const refusalExamples: Readonly<Record<RefusalStatus, Examples>> = {
  400: {
    value: {
      summary: 'a value that is not allowed',
      value: told(new ParameterError({ what: 'full="3": expected 1 (incremental) or 2 (full)' }), {
        ...DEPLOY,
        full: '3',
      }),
    },
    missing: {
      summary: 'a parameter is missing',
      value: told(new ParameterError({ what: messages.missingParams('deploy', 'k') }), { action: 'deploy' }),
    },
  },
  401: {
    revoked: {
      summary: 'the token is not good',
      value: told(new UnauthorizedError({ what: `${messages.tokenRefused}: the token is unknown or was revoked` })),
    },
  },
  403: {
    role: {
      summary: 'the token only reads',
      value: told(
        new ForbiddenError({
          what: 'the token "eye" has the role viewer, which only reads',
          whatToDo: 'use a token with the role deployer or admin',
        }),
        DEPLOY,
      ),
    },
  },
  404: {
    name: {
      summary: 'no such name',
      value: told(new NotFoundError({ what: 'there is no name "sever"', whatToDo: 'names are: server, shop' })),
    },
  },
  409: {
    busy: {
      summary: 'the name is being deployed',
      value: told(new NameBusyError({ what: messages.isDeploying('server'), deploymentId: JOB_ID }), DEPLOY),
    },
    ended: {
      summary: 'the job has ended',
      value: told(new ConflictError({ what: `${JOB_ID} has ended (succeeded): there is nothing left to cancel` })),
    },
  },
  413: {
    large: {
      summary: 'a body of two megabytes',
      value: told(
        new TooLargeError({
          what: 'the body of 2097152 bytes is larger than the 1048576 bytes that are taken',
          whatToDo: 'send less',
        }),
      ),
    },
  },
  415: {
    text: {
      summary: 'plain text',
      value: told(
        new MediaTypeError({
          what: 'the Content-Type "text/plain" is not taken',
          whatToDo: 'send application/x-www-form-urlencoded or application/json',
        }),
      ),
    },
  },
  422: {
    reused: {
      summary: 'the key came with another body before',
      value: told(
        new KeyReusedError({
          what: 'the Idempotency-Key was used with another body within the last 24 hours',
          whatToDo: 'use a new key for a new request',
        }),
        DEPLOY,
      ),
    },
  },
  429: {
    often: {
      summary: 'asked too often',
      value: told(
        new RateLimitError({
          what: 'more than 600 requests a minute with this token',
          whatToDo: 'ask less often: wait=N or the event stream of a job instead of polling',
          retryAfterSeconds: 12,
        }),
      ),
    },
  },
  503: {
    redis: {
      summary: 'Redis is away',
      value: told(new UnavailableError({ what: 'Redis does not answer', whatToDo: 'try again in a moment' })),
    },
  },
};
