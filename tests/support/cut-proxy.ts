import { appendFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { FleetHost } from '@rexdeploy/sandbox/fleet-host';
import { findFreePort } from '@rexdeploy/sandbox/ports';

/** The way to a host's sshd, which can be cut while bytes travel. */
export interface CutProxy {
  readonly port: number;
  /** Bytes that went to the host, connection by connection. */
  readonly sent: readonly number[];
  /**
   * Cuts the first connection that has carried this many bytes to the host; resolves once that is done.
   * @param sides what learns of it; `client` alone is as when a firewall forgets the connection, `none`: it hangs
   */
  cutAfter(bytes: number, sides: 'both' | 'client' | 'none'): Promise<void>;
  close(): Promise<void>;
}

/** Listens beside a host's sshd, under the same host keys. */
export async function startCutProxy({ address, sshPort, sshd, knownHosts }: FleetHost): Promise<CutProxy> {
  const sent: number[] = [];
  const sockets = new Set<Socket>();
  let cut: { bytes: number; sides: 'both' | 'client' | 'none'; done: () => void } | undefined;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    const at = sent.push(0) - 1;
    const host = connect({ host: address, port: sshPort });
    keep(client);
    keep(host);
    let isCut = false;
    client.on('data', (bytes) => {
      sent[at] = (sent[at] ?? 0) + bytes.length;
      if (cut !== undefined && (sent[at] ?? 0) >= cut.bytes) {
        const { sides, done } = cut;
        [cut, isCut] = [undefined, true];
        if (sides === 'none') client.pause();
        else client.destroy();
        if (sides === 'both') host.destroy();
        done();
      } else if (!host.write(bytes)) {
        client.pause();
        host.once('drain', () => client.resume());
      }
    });
    host.on('data', (bytes) => client.write(bytes));
    host.on('close', () => client.destroy());
    client.on('close', () => isCut || host.destroy());
  });
  const port = await findFreePort(address);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
  appendFileSync(knownHosts, sshd.hostKeys.map((key) => `[${address}]:${port} ${key}\n`).join(''));
  return {
    port,
    sent,
    cutAfter: (bytes, sides) =>
      new Promise((done) => {
        cut = { bytes, sides, done };
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
