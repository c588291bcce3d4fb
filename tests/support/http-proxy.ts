import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The way from a browser to the API, which can be cut. */
export interface HttpProxy {
  readonly url: string;
  /** Cuts all connections that there are; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const api = connect({ host: hostname, port: Number(port) });
    for (const socket of [client, api]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', () => api.destroy());
    api.on('close', () => client.destroy());
    client.pipe(api).pipe(client);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, hostname, resolve));
  const { port: own } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://${hostname}:${own}`,
    cut,
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}
