import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { freePort, makeKey } from './sshd.js';

/** A server for what a real sshd cannot be made to do: passwords without PAM, a channel that never answers. */
export interface TestServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly knownHostsPath: string;
}

/**
 * Starts it on a free loopback port.
 *
 * @param dir folder in which it makes its own, and which the caller removes
 */
export async function startServer(
  dir: string,
  onLogin: (login: AuthContext) => void,
  onConnection: (connection: Connection) => void = () => {},
): Promise<TestServer> {
  const folder = await mkdtemp(join(dir, 'server-'));
  const keyPath = join(folder, 'host_key');
  await makeKey(keyPath, 'ecdsa');
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [await readFile(keyPath)] }, (connection) => {
    connections.add(connection);
    connection.on('authentication', onLogin).on('error', () => {});
    onConnection(connection);
  });
  const host = '127.0.0.1';
  const port = await freePort();
  server.listen(port, host);
  await once(server, 'listening');
  const knownHostsPath = join(folder, 'known_hosts');
  await writeFile(knownHostsPath, `[${host}]:${port} ${await readFile(`${keyPath}.pub`, 'utf8')}`);
  return {
    host,
    port,
    knownHostsPath,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.end();
      server.close();
    },
  };
}
