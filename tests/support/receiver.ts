import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a receiver got. */
export interface Got {
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a path answers: to its n-th request (from 0), or never. */
export type Behaviour = (
  got: Got,
  nth: number,
) => { status: number; body?: string; headers?: Record<string, string> } | 'never';

export interface Receiver {
  readonly url: string;
  /** All that came to a path, in order. */
  at(path: string): Got[];
  close(): Promise<void>;
}

/** A real HTTP server that takes what is posted to it, each path in its own way; a path of its own takes all. */
export async function startReceiver(paths: Readonly<Record<string, Behaviour>>): Promise<Receiver> {
  const all: Got[] = [];
  const held = new Set<ServerResponse>();
  const at = (path: string): Got[] => all.filter((got) => got.path === path);
  const server = createServer(async (request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://receiver');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const got = { path, query, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
    const nth = at(path).length;
    all.push(got);
    const answer = paths[path]?.(got, nth) ?? { status: 404 };
    if (answer === 'never') {
      held.add(response);
      return;
    }
    response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    at,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
