/** Packs a tree the three ways users send one. */
import { createWriteStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { mustRun } from './command.js';

const SYMLINK_MODE = 0o120777;

export async function tar(dir: string, file: string): Promise<void> {
  await mustRun('tar', ['-C', dir, '-cf', file, '.']);
}

export async function tarGz(dir: string, file: string): Promise<void> {
  await mustRun('tar', ['-C', dir, '-czf', file, '.']);
}

/** With modes, symbolic links and empty directories, as `zip -ry` does. */
export async function zip(dir: string, file: string): Promise<void> {
  const archive = new ZipFile();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(dir, path);
    const { mode, mtime } = await lstat(path);
    if (entry.isSymbolicLink())
      archive.addBuffer(Buffer.from(await readlink(path)), name, { mode: SYMLINK_MODE, mtime });
    else if (entry.isDirectory()) archive.addEmptyDirectory(name, { mode, mtime });
    else archive.addFile(path, name, { mode, mtime });
  }
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(file));
}
