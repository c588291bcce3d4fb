/**
 * `node line-process.mjs <round trip in ms> <Mbit/s> <address:port:target port>…`: passes TCP connections on. Bytes arrive
 * half a round trip after they were sent, all connections of one direction share the width, and a connection is usable one
 * round trip after it was asked for. Width 0: as wide as can be. Each line on stdin is answered with the bytes carried so
 * far, to the hosts and from them; it ends with its stdin.
 */
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const [rtt, mbit, ...ways] = process.argv.slice(2);
const delayMs = Number(rtt) / 2;
const bytesPerMs = mbit === '0' ? Number.POSITIVE_INFINITY : (Number(mbit) * 1e6) / 8 / 1000;
/** As a router's queue: more than this is not taken from the sender. */
const QUEUE_BYTES = mbit === '0' ? 1024 ** 2 : Math.max(256 * 1024, 2 * Number(rtt) * bytesPerMs);

/** One direction of the line. */
class Direction {
  /** When the last byte that was taken has left. */
  #freeAt = 0;
  /** What is to arrive, and when; in the order in which it was sent. */
  #underWay = [];
  #timer;
  bytes = 0;

  /** Carries all that comes from one socket to the other, and its end. */
  carry(from, to) {
    let queued = 0;
    from.on('data', (bytes) => {
      this.bytes += bytes.length;
      queued += bytes.length;
      if (queued > QUEUE_BYTES) from.pause();
      this.#send(bytes.length, () => {
        queued -= bytes.length;
        if (!to.destroyed) to.write(bytes);
        if (queued <= QUEUE_BYTES) from.resume();
      });
    });
    from.on('end', () => this.#send(0, () => to.end()));
    from.on('close', () => this.#send(0, () => to.destroy()));
  }

  #send(length, arrive) {
    this.#freeAt = Math.max(this.#freeAt, performance.now()) + length / bytesPerMs;
    this.#underWay.push({ at: this.#freeAt + delayMs, arrive });
    if (this.#timer === undefined) this.#deliver();
  }

  #deliver() {
    const now = performance.now();
    while (this.#underWay.length > 0 && this.#underWay[0].at <= now) this.#underWay.shift().arrive();
    const [next] = this.#underWay;
    this.#timer = next && setTimeout(() => this.#deliver(), Math.max(1, next.at - now));
  }
}

const [up, down] = [new Direction(), new Direction()];
let waiting = ways.length;
for (const way of ways) {
  const [address, port, target] = way.split(':');
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => {
    const host = connect({ host: address, port: Number(target), allowHalfOpen: true });
    for (const socket of [client, host]) {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
    }
    host.pause();
    // The handshake of TCP itself takes a round trip, which loopback has given already.
    setTimeout(() => {
      up.carry(client, host);
      down.carry(host, client);
      client.resume();
      host.resume();
    }, Number(rtt));
  });
  server.listen(Number(port), address, () => {
    waiting -= 1;
    if (waiting === 0) process.stdout.write('ready\n');
  });
}
const lines = createInterface({ input: process.stdin });
lines.on('line', () => process.stdout.write(`${up.bytes} ${down.bytes}\n`));
lines.on('close', () => process.exit(0));
