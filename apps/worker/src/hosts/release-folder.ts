import { basename, dirname } from 'node:path/posix';

/** Our own folder beside a deployed directory, and what its files there begin with. */
export const releaseFolder = (programDir: string): { folder: string; name: string } => ({
  folder: `${dirname(programDir)}/.rexdeploy`,
  name: basename(programDir),
});
