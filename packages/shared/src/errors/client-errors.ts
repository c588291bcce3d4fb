import type { Envelope } from '../api/envelope-schema.js';
import { type ErrorFacts, RexError } from './rex-error.js';

/** What clients of the API meet. Used in browsers too. */

/** The API (or the user, asked for consent) said no. */
export class RefusedError extends RexError {
  override readonly code = 'refused';
  /** HTTP status; undefined when no server was asked. */
  readonly status: number | undefined;
  /** The whole answer, where there is one; its `job` is the deployment that is in the way. */
  readonly envelope: Envelope | undefined;
  constructor(facts: ErrorFacts & { status?: number; envelope?: Envelope }) {
    super(facts);
    this.status = facts.status;
    this.envelope = facts.envelope;
  }
}

/** No answer from the API or from Redis, or none that is theirs. */
export class UnreachableError extends RexError {
  override readonly code = 'unreachable';
  override readonly retryable = true;
}
