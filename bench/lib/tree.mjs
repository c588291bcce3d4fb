/** Program trees to deploy: half of the files pack well, half not at all; the same for the same seed. */
import { createCipheriv, createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FILES_PER_FOLDER = 60;
/** Of everything in a tree that was never changed. */
const FIRST_TIME = 1_700_000_000;

/** Bytes that follow from a seed, at the speed of AES. */
class Source {
  #cipher;
  constructor(seed) {
    const key = createHash('sha256').update(`rexdeploy bench ${seed}`).digest();
    this.#cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  }
  bytes(count) {
    return this.#cipher.update(Buffer.alloc(count));
  }
  /** Packs to about half its size, as programs do. */
  text(count) {
    return Buffer.from(
      this.bytes(Math.ceil(count / 2))
        .toString('hex')
        .slice(0, count),
      'latin1',
    );
  }
  fraction() {
    return this.bytes(4).readUInt32LE() / 2 ** 32;
  }
}

export class Tree {
  /** Paths of the generated files, below `dir`. */
  #files;
  #source;
  #changes = 0;
  version = 'v0';

  /**
   * @param {string} dir made by this
   * @param {{ files: number, sizeBytes: number, seed?: number }} size of the generated files together
   */
  constructor(dir, { files, sizeBytes, seed = 1 }) {
    this.dir = dir;
    this.#source = new Source(seed);
    const weights = Array.from({ length: files }, () => this.#source.fraction() ** 3 + 0.1);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#files = weights.map((weight, at) => {
      const path = `lib/part-${Math.floor(at / FILES_PER_FOLDER)}/file-${at}.${at % 2 === 0 ? 'bin' : 'txt'}`;
      this.#write(path, Math.max(1, Math.floor((weight / total) * sizeBytes)), FIRST_TIME);
      return path;
    });
    this.#setVersion(FIRST_TIME);
  }

  /** Adds a file that every version has. */
  add(path, content, mode = 0o644) {
    mkdirSync(dirname(join(this.dir, path)), { recursive: true });
    writeFileSync(join(this.dir, path), content, { mode });
    utimesSync(join(this.dir, path), FIRST_TIME, FIRST_TIME);
  }

  /**
   * The next version: a share of the files gets other content.
   * @param {number} share
   * @param {boolean} freshTimes as a clean build does, all files get a new time
   */
  change(share, freshTimes = false) {
    this.#changes += 1;
    // Whole seconds apart, however quick the rounds are: rsync looks at these and at sizes alone.
    const now = Math.floor(Date.now() / 1000) + this.#changes;
    const count = Math.max(share > 0 ? 1 : 0, Math.round(share * this.#files.length));
    const step = Math.max(1, Math.floor(this.#files.length / Math.max(1, count)));
    for (let at = 0; at < count; at += 1) {
      const path = this.#files[(at * step + this.#changes) % this.#files.length];
      this.#write(path, statSync(join(this.dir, path)).size, now);
    }
    if (freshTimes) for (const path of this.#files) utimesSync(join(this.dir, path), now, now);
    this.#setVersion(now);
    return this.version;
  }

  #setVersion(time) {
    this.version = `v${this.#changes}`;
    writeFileSync(join(this.dir, 'version.txt'), `${this.version}\n`);
    utimesSync(join(this.dir, 'version.txt'), time, time);
  }

  #write(path, size, time) {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, path.endsWith('.txt') ? this.#source.text(size) : this.#source.bytes(size));
    utimesSync(file, time, time);
  }

  readVersion() {
    return readFileSync(join(this.dir, 'version.txt'), 'utf8').trim();
  }
}
