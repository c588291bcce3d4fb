import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PackageError, PackageTooLargeError } from '@rexdeploy/shared/errors/deployment-errors';
import { humanSize } from '@rexdeploy/shared/units';
import type { Digest } from './blobs.js';
import { tempPath } from './temp-files.js';

export interface ReceiveOptions {
  /** Folder in which the file is made. */
  readonly dir: string;
  /** Limit on the archive as it comes. */
  readonly maxBytes: number;
  /** The digest in hex that the sender promised. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A received archive; whoever takes it in removes `file` afterwards. */
export interface Received extends Digest {
  readonly file: string;
}

/**
 * Writes an upload or a download to a file of its own while computing its digest. After any failure, also when the
 * sender breaks off, no file is left.
 * @throws PackageTooLargeError past `maxBytes`; PackageError when the digest is not the promised one; the stream's
 * error; the signal's reason
 */
export async function receiveUpload(stream: Readable, options: ReceiveOptions): Promise<Received> {
  const { dir, maxBytes, sha256: expected, signal } = options;
  const file = tempPath(dir);
  const meter = new DigestMeter(maxBytes);
  // Opened before anything can fail: a file that is still being opened could appear after its removal.
  const handle = await open(file, 'wx', 0o600);
  try {
    await pipeline([stream, meter, handle.createWriteStream()], signal === undefined ? {} : { signal });
    const sha256 = meter.sha256();
    if (expected !== undefined && expected.toLowerCase() !== sha256) {
      throw new PackageError({ what: `the archive's sha256 is wrong: expected ${expected}, got ${sha256}` });
    }
    return { file, sha256, size: meter.size };
  } catch (error) {
    await rm(file, { force: true });
    signal?.throwIfAborted();
    throw error;
  }
}

/** Lets bytes pass up to a limit, counting and hashing them. */
class DigestMeter extends Transform {
  readonly #hash = createHash('sha256');
  readonly #maxBytes: number;
  size = 0;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  /** Hex digest of all that passed; can be asked once. */
  sha256(): string {
    return this.#hash.digest('hex');
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.size += chunk.length;
    if (this.size > this.#maxBytes) {
      done(
        new PackageTooLargeError({
          what: `the archive is larger than ${humanSize(this.#maxBytes)}`,
          whatToDo: 'raise packages.max_bytes or make the package smaller',
        }),
      );
      return;
    }
    this.#hash.update(chunk);
    done(null, chunk);
  }
}
