import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';

/**
 * A TCP connection that a jump host makes for us, as a stream that ends as a socket does: a channel of ssh2 alone is
 * closed only when the jump host says so, and a host that has gone silent would never say it.
 */
export class Tunnel extends Duplex {
  /** As of a socket: whoever watches for silence counts by it. */
  bytesRead = 0;
  readonly #channel: ClientChannel;

  constructor(channel: ClientChannel) {
    super();
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => this.push(null));
    channel.on('close', () => this.destroy());
    channel.on('error', (error: Error) => this.destroy(error));
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // What still arrives is thrown away, or the close of the channel would wait behind it.
    this.#channel.removeAllListeners('data').resume();
    this.#channel.close();
    done(error);
  }
}
