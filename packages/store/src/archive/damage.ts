import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';

/**
 * What a parser or a decompressor complains about is a damaged archive. Failures of the disk, and errors of our own
 * family, stay what they are.
 * @param where the entry's name, if it is known
 */
export function asDamage(error: unknown, where?: string): unknown {
  if (error instanceof RexError || (error instanceof Error && 'syscall' in error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new PackageError({ where, what: `the archive is damaged or cut off: ${reason}`, cause: error });
}
