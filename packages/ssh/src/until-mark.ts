/** Begins every mark: ASCII's record separator, which no text of ours holds. */
const SEPARATOR = 0x1e;

/** Cuts a stream where the line `<record separator><mark>…` stands in it. */
export class UntilMark {
  readonly #mark: Buffer;
  readonly #onText: (piece: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);

  /** @param onText gets what comes before the mark, as it arrives */
  constructor(mark: string, onText: (piece: Buffer) => void) {
    this.#mark = Buffer.from(`${String.fromCharCode(SEPARATOR)}${mark}`);
    this.#onText = onText;
  }

  /** @returns what follows the mark in its line, once that has arrived */
  push(chunk: Buffer): string | undefined {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const at = bytes.indexOf(this.#mark);
    if (at >= 0) {
      this.#give(bytes.subarray(0, at));
      const end = bytes.indexOf('\n', at);
      if (end >= 0) return bytes.toString('utf8', at + this.#mark.length, end);
      this.#held = Buffer.from(bytes.subarray(at));
      return undefined;
    }
    // The mark may have begun in the last bytes.
    const begun = bytes.lastIndexOf(SEPARATOR);
    const until = begun >= 0 && bytes.length - begun < this.#mark.length ? begun : bytes.length;
    this.#give(bytes.subarray(0, until));
    this.#held = Buffer.from(bytes.subarray(until));
    return undefined;
  }

  #give(piece: Buffer): void {
    if (piece.length > 0) this.#onText(piece);
  }
}
