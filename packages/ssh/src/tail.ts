/** The last bytes of a stream. */
export class Tail {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Joined at twice the limit, so that many small chunks cost neither memory nor time.
    if (this.#bytes > 2 * this.#limitBytes || this.#chunks.length > 256) this.#trim();
  }

  /** At most `lastBytes` of the end; a character cut in half at the start is left out. */
  text(lastBytes = this.#limitBytes): string {
    this.#trim();
    const bytes = this.#chunks[0] ?? Buffer.alloc(0);
    let start = Math.max(0, bytes.length - lastBytes);
    // UTF-8 continuation bytes are 10xxxxxx.
    if (start > 0 || bytes.length === this.#limitBytes) while (((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return bytes.toString('utf8', start);
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }

  #trim(): void {
    const all = Buffer.concat(this.#chunks);
    // A copy: a view would keep the whole chunk alive.
    this.#chunks = [all.length > this.#limitBytes ? Buffer.from(all.subarray(-this.#limitBytes)) : all];
    this.#bytes = this.#chunks[0]?.length ?? 0;
  }
}
