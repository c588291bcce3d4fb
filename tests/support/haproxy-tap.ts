import { renameSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { Haproxy } from '@rexdeploy/sandbox/haproxy';
import { onTestFinished } from 'vitest';

/**
 * Stands in the place of HAProxy's socket and passes commands on, so that a test can act between two of them. It is over
 * as soon as HAProxy is started anew, which puts its own socket back into that place.
 * @param after called with each line of commands once HAProxy has answered; whoever asked gets the answer afterwards
 */
export async function tapHaproxy(haproxy: Haproxy, after: (line: string) => Promise<void>): Promise<void> {
  const behind = `${haproxy.socket}-behind`;
  renameSync(haproxy.socket, behind);
  const server = createServer({ allowHalfOpen: true }, (client) => {
    // Whoever asked may have given up meanwhile.
    client.on('error', () => undefined);
    pass(client, behind, after).catch((error: unknown) => client.destroy(error instanceof Error ? error : undefined));
  });
  // Under a name of its own first: a server that is closed removes what has the name that it listened at.
  const own = `${haproxy.socket}-tap`;
  await new Promise<void>((resolve) => server.listen(own, resolve));
  renameSync(own, haproxy.socket);
  onTestFinished(() => {
    server.close();
  });
}

async function pass(client: Socket, behind: string, after: (line: string) => Promise<void>): Promise<void> {
  const line = (await readAll(client)).trim();
  const link = connect(behind);
  // A HAProxy that ends while it is asked is what some tests are about; whoever asked sees it end.
  link.on('error', () => undefined);
  link.write(`${line}\n`);
  const answer = await readAll(link);
  await after(line);
  client.end(answer);
}

async function readAll(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  // Left open: this side may still have to answer.
  for await (const piece of socket.iterator({ destroyOnReturn: false })) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}
