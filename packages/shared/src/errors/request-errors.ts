import type { RefusedToken } from '../api/original.js';
import { type ErrorFacts, RexError } from './rex-error.js';

/** A request that is refused, with the HTTP status that says so. */
export class RequestError extends RexError {
  override readonly code: string = 'request';
  readonly status: number = 400;
  /** Further response headers, e.g. `Retry-After`. */
  readonly headers: Record<string, string> = {};
}

export class ParameterError extends RequestError {
  override readonly code = 'parameters';
  override readonly status = 400;
}
export class UnauthorizedError extends RequestError {
  override readonly code = 'unauthorized';
  override readonly status = 401;
  /** What was wrong with the token that came, if any did. */
  readonly token: RefusedToken | undefined;
  constructor(facts: ErrorFacts & { token?: RefusedToken }) {
    super(facts);
    this.token = facts.token;
  }
}
export class ForbiddenError extends RequestError {
  override readonly code = 'forbidden';
  override readonly status = 403;
}
export class NotFoundError extends RequestError {
  override readonly code = 'not_found';
  override readonly status = 404;
}
/** The name is being deployed; `deploymentId` is the running one. */
export class NameBusyError extends RequestError {
  override readonly code = 'name_busy';
  override readonly status = 409;
  readonly deploymentId: string;
  constructor(facts: ErrorFacts & { deploymentId: string }) {
    super(facts);
    this.deploymentId = facts.deploymentId;
  }
}
/** What is asked for does not go with the state that the thing is in. */
export class ConflictError extends RequestError {
  override readonly code = 'conflict';
  override readonly status = 409;
}
/** The name is inside a freeze window. */
export class FrozenError extends RequestError {
  override readonly code = 'frozen';
  override readonly status = 409;
}
export class TooLargeError extends RequestError {
  override readonly code = 'too_large';
  override readonly status = 413;
}
export class MediaTypeError extends RequestError {
  override readonly code = 'media_type';
  override readonly status = 415;
}
export class KeyReusedError extends RequestError {
  override readonly code = 'key_reused';
  override readonly status = 422;
}
export class RateLimitError extends RequestError {
  override readonly code = 'rate_limit';
  override readonly status = 429;
  override readonly headers: Record<string, string>;
  constructor(facts: ErrorFacts & { retryAfterSeconds: number }) {
    super(facts);
    this.headers = { 'Retry-After': String(facts.retryAfterSeconds) };
  }
}
/** A job whose journal this version cannot read; nobody goes on with it until one comes that can. */
export class JournalError extends RequestError {
  override readonly code = 'journal';
  override readonly status = 500;
}
/** Redis does not answer; answered within 3 s (docs: design §3). */
export class UnavailableError extends RequestError {
  override readonly code = 'unavailable';
  override readonly status = 503;
  override readonly headers = { 'Retry-After': '5' };
}
