import { StringDecoder } from 'node:string_decoder';

/** Cuts a byte stream into lines. */
export class Lines {
  readonly #onLine: (line: string) => void;
  readonly #maxLength: number;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** @param maxLength longest line that is put up with, in UTF-16 units */
  constructor(onLine: (line: string) => void, maxLength: number) {
    this.#onLine = onLine;
    this.#maxLength = maxLength;
  }

  /** @throws RangeError when a line is too long; whatever `onLine` throws */
  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
    if (this.#rest.length > this.#maxLength) throw new RangeError(`a line is longer than ${this.#maxLength}`);
  }

  /** Delivers a last line that has no newline. */
  end(): void {
    const last = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (last !== '') this.#onLine(last);
  }
}
