import * as fs from 'node:fs';
import { promisify } from 'node:util';

/**
 * File operations for many small files. They take a third to a half of the processor time of node:fs/promises, which
 * makes an object with a life of its own for every open file.
 */
export const open = promisify(fs.open);
export const read = promisify(fs.read);
export const close = promisify(fs.close);
export const rename = promisify(fs.rename);
const write = promisify(fs.write);

/**
 * Writes a new file.
 * @param path must not exist yet
 * @param mode permission bits
 */
export async function writeNewFile(path: string, content: Uint8Array, mode: number): Promise<void> {
  const fd = await open(path, 'wx', mode);
  try {
    for (let done = 0; done < content.length; ) {
      done += (await write(fd, content, done, content.length - done, done)).bytesWritten;
    }
  } finally {
    await close(fd);
  }
}

/** Size in bytes and time of the last change; undefined when there is no such file. */
export function statIfThere(path: string): Promise<{ size: number; mtimeMs: number } | undefined> {
  return new Promise((resolve, reject) => {
    fs.stat(path, (error, found) => {
      if (error === null) resolve(found);
      else if (error.code === 'ENOENT' || error.code === 'ENOTDIR') resolve(undefined);
      else reject(error);
    });
  });
}
