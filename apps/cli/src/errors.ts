import { RefusedError, UnreachableError } from '@rexdeploy/shared/errors/client-errors';
import { ConfigError } from '@rexdeploy/shared/errors/config-error';
import { ConnectionError, HostKeyError } from '@rexdeploy/shared/errors/host-errors';
import { ParameterError, UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';

export { RefusedError, UnreachableError };

/** What `rex` ends with; scripts rely on these (docs/errors.md). */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3, unreachable: 4, interrupted: 130 } as const;

/** The command line does not say enough, or contradicts itself. */
export class UsageError extends RexError {
  override readonly code = 'usage';
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
