import { type ErrorFacts, RexError } from './rex-error.js';

/** A receiver of notifications did not take one. Journaled; no deployment fails by it. */
export class NotifyError extends RexError {
  override readonly code = 'notify';
  /** Worth another attempt: no answer, or one that says so. */
  override readonly retryable: boolean;
  constructor(facts: ErrorFacts & { retryable: boolean }) {
    super(facts);
    this.retryable = facts.retryable;
  }
}
