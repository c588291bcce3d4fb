export interface IngestOptions {
  /** Limit on the bytes of all files unpacked, hard links counted as the copies they become. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}
