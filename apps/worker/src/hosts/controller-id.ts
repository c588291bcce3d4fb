import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RexError } from '@rexdeploy/shared/errors/rex-error';

const FILE = 'controller-id';

/**
 * Name of this installation in the locks that it leaves on hosts; all its processes share `data_dir`, and with it the id.
 * @throws RexError when the file holds anything else
 */
export async function controllerId(dataDir: string): Promise<string> {
  const file = join(dataDir, FILE);
  await writeFile(file, `${randomUUID()}\n`, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  // Another process may be writing it at this moment.
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const id = (await readFile(file, 'utf8')).trim();
    if (/^[0-9a-f-]{36}$/.test(id)) return id;
    if (id !== '') break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new RexError({ where: file, what: 'does not hold the id of this controller', whatToDo: 'remove the file' });
}
