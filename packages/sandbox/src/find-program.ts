/** Finds system programs that are often outside the PATH of an ordinary user, such as sshd and nginx. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const ALSO = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The absolute path, which sshd insists on being started by; throws when it is not installed. */
export function findProgram(name: string): string {
  for (const dir of [...(process.env.PATH ?? '').split(delimiter), ...ALSO]) {
    const file = join(dir, name);
    try {
      if (dir === '') continue;
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here; look in the next folder.
    }
  }
  throw new Error(`${name} is not installed (looked on PATH and in ${ALSO.join(', ')})`);
}
