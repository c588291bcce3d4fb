import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { PackageTooLargeError } from '@rexdeploy/shared/errors/deployment-errors';
import { describe, expect } from 'vitest';
import { receiveUpload } from './receive.js';
import { test } from './testing/scratch.js';
import { breakingStream } from './testing/streams.js';

const CONTENT = Buffer.alloc(500_000, 'content');
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

describe('an upload', () => {
  test.for([undefined, SHA256, SHA256.toUpperCase()])(
    'is written to a file (promised digest: %s)',
    async (sha256, { dir }) => {
      const received = await receiveUpload(Readable.from([CONTENT]), { dir, maxBytes: CONTENT.length, sha256 });
      expect(received).toMatchObject({ sha256: SHA256, size: CONTENT.length });
      expect(CONTENT.equals(await readFile(received.file))).toBe(true);
    },
  );

  test('over the limit is refused and leaves no file', async ({ dir }) => {
    const receive = receiveUpload(Readable.from([CONTENT]), { dir, maxBytes: CONTENT.length - 1 });
    await expect(receive).rejects.toBeInstanceOf(PackageTooLargeError);
    expect(await readdir(dir)).toEqual([]);
  });

  test('with another digest is refused, names both, and leaves no file', async ({ dir }) => {
    const promised = '0'.repeat(64);
    const receive = receiveUpload(Readable.from([CONTENT]), { dir, maxBytes: 1e6, sha256: promised });
    await expect(receive).rejects.toThrowError(`expected ${promised}, got ${SHA256}`);
    expect(await readdir(dir)).toEqual([]);
  });

  test('that fails leaves no file', async ({ dir }) => {
    const receive = receiveUpload(breakingStream([CONTENT], new Error('line cut')), { dir, maxBytes: 1e6 });
    await expect(receive).rejects.toThrowError('line cut');
    expect(await readdir(dir)).toEqual([]);
  });

  test('that is aborted ends with the reason and leaves no file', async ({ dir }) => {
    const abort = new AbortController();
    const endless = new PassThrough();
    const receive = receiveUpload(endless, { dir, maxBytes: 1e6, signal: abort.signal });
    endless.write(CONTENT, () => abort.abort(new Error('cancelled by somebody')));
    await expect(receive).rejects.toThrowError('cancelled by somebody');
    expect(await readdir(dir)).toEqual([]);
    expect(endless.destroyed).toBe(true);
  });

  test('broken off by the client leaves no file', async ({ dir }) => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const upload = request({ port, method: 'POST', headers: { 'content-length': 1_000_000 } });
    upload.on('error', () => {});
    upload.write(CONTENT);
    const [incoming] = (await once(server, 'request')) as [Readable];
    const receive = receiveUpload(incoming, { dir, maxBytes: 1e6 });
    incoming.once('data', () => upload.destroy());
    await expect(receive).rejects.toThrowError();
    expect(await readdir(dir)).toEqual([]);
    server.close();
    await once(server, 'close');
  });
});
