import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import { extract, type Headers } from 'tar-stream';
import { refusal } from '../path-rules.js';

const BLOCK_BYTES = 512;
const REFUSED: Partial<Record<NonNullable<Headers['type']>, string>> = {
  'character-device': 'a character device',
  'block-device': 'a block device',
  fifo: 'a named pipe',
};

/** One entry of a tar, its header understood. `mtime` in Unix seconds, `size` in bytes. */
export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'hardlink';
  readonly mode: number;
  readonly mtime: number;
  readonly size: number;
  /** What a link names; `''` for other types. */
  readonly linkName: string;
}

/** The content of an entry; must be read to its end before the visitor returns. Empty except for files. */
export type TarContent = AsyncIterable<Uint8Array>;

/**
 * Reads a tar (ustar, pax, GNU) entry by entry, holding no more than a few pieces of it.
 * @param sources the raw stream, and whatever it has to pass before it is a tar (a gunzip)
 * @param visit called for each entry in order; the next one waits for it
 * @throws PackageError when the tar is damaged, cut off, or holds a type of entry that a release cannot have;
 * whatever `visit` throws; the signal's reason
 */
export async function readTar(
  sources: readonly [Readable, ...Transform[]],
  visit: (entry: TarEntry, content: TarContent) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const parser = extract();
  const end = new EndWatch();
  const [source, ...stages] = sources;
  const flow = pipeline([source, ...stages, end, parser], signal === undefined ? {} : { signal });
  // The loop below tells what went wrong; without this, a failure that comes while an entry is visited would count as
  // unhandled.
  flow.catch(() => undefined);
  let visiting = false;
  try {
    for await (const entry of parser) {
      const understood = understand(entry.header);
      visiting = true;
      await visit(understood, watched(entry, () => { visiting = false; }));
      visiting = false;
    }
    await flow;
  } catch (error) {
    source.destroy();
    signal?.throwIfAborted();
    if (visiting) throw error;
    throw asDamage(error);
  }
  if (!end.isMarked) throw new PackageError({ what: 'the tar is cut off: its end mark is missing' });
}
