import { ConfigError } from '@rexdeploy/shared/errors/config-error';
import { ConnectionError, HostKeyError } from '@rexdeploy/shared/errors/host-errors';
import { ParameterError, UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import { type ErrorFacts, RexError } from '@rexdeploy/shared/errors/rex-error';

/** What `rex` ends with; scripts rely on these (docs/errors.md). */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3, unreachable: 4, interrupted: 130 } as const;

/** The command line does not say enough, or contradicts itself. */
export class UsageError extends RexError {
  override readonly code = 'usage';
}

/** The API (or the user, asked for consent) said no. */
export class RefusedError extends RexError {
  override readonly code = 'refused';
  /** HTTP status; undefined when no server was asked. */
  readonly status: number | undefined;
  constructor(facts: ErrorFacts & { status?: number }) {
    super(facts);
    this.status = facts.status;
  }
}

/** No answer from the API or from Redis, or none that is theirs. */
export class UnreachableError extends RexError {
  override readonly code = 'unreachable';
  override readonly retryable = true;
}

/** The exit code that tells a script what kind of failure this was. */
export function exitCodeOf(error: RexError): number {
  if (error instanceof RefusedError) {
    if (error.status === 400) return EXIT.usage;
    if (error.status === 503) return EXIT.unreachable;
    return (error.status ?? 0) >= 500 ? EXIT.failed : EXIT.refused;
  }
  if (error instanceof UsageError || error instanceof ConfigError || error instanceof ParameterError) return EXIT.usage;
  if (error instanceof HostKeyError) return EXIT.refused;
  if (error instanceof UnreachableError || error instanceof UnavailableError || error instanceof ConnectionError) {
    return EXIT.unreachable;
  }
  return EXIT.failed;
}
