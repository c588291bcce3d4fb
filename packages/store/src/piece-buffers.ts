/** Sending pieces of 64 KiB costs 35 % more processor time; larger ones gain nothing. */
export const PIECE_BYTES = 256 * 1024;
/** Kept for the next streams; a stream has about four on their way. */
const KEPT = 16;

/**
 * Buffers of {@link PIECE_BYTES} that go from hand to hand: a new one for each piece of a large file costs more time, for
 * empty pages and for tidying up, than reading into it does.
 */
export class PieceBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  }

  /** Takes a piece back that nobody reads any more. What is no whole piece is left to the garbage collector. */
  giveBack(piece: Buffer): void {
    if (piece.length === PIECE_BYTES && piece.buffer.byteLength === PIECE_BYTES && this.#free.length < KEPT)
      this.#free.push(piece);
  }
}
