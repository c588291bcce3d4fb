import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** What waits for a command, its words in quotes as MONITOR shows them, and then follows no longer. */
export type WaitFor = (isIt: (words: string) => boolean) => Promise<void>;

/**
 * Follows what a Redis is told, from the moment at which this resolves. Over a socket of its own: ioredis takes a command that
 * arrives together with the answer to MONITOR for the answer to something that was never asked.
 */
export async function monitored(redisUrl: string): Promise<WaitFor> {
  const { hostname, port } = new URL(redisUrl);
  const socket = connect(Number(port), hostname);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  socket.write('MONITOR\r\n');
  const { value: answer } = await lines.next();
  if (answer !== '+OK') throw new Error(`Redis answers MONITOR with ${answer}`);
  return async (isIt) => {
    try {
      for await (const line of { [Symbol.asyncIterator]: () => lines }) {
        if (isIt(line.slice(line.indexOf('"')))) return;
      }
      throw new Error('Redis went before it was told that');
    } finally {
      socket.destroy();
    }
  };
}
