import { createHash, randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { nativeCrypto } from './native-crypto.js';
import { watchWrites } from './packets.js';
import { connect } from './ssh2-transport.js';
import { startSshd } from './testing/sshd.js';

const MIB = 1024 * 1024;
const PIECE = randomBytes(256 * 1024);
/** A whole packet of OpenSSH. */
const PACKET_BYTES = 32 * 1024;

/** Pieces that all differ, and what they must come to. */
function content(bytes: number): { input: Readable; sha256: Promise<string> } {
  const hash = createHash('sha256');
  function* pieces(): Generator<Buffer> {
    for (let made = 0; made < bytes; made += PIECE.length) {
      const piece = Buffer.from(PIECE);
      piece.writeUInt32BE(made);
      hash.update(piece);
      yield piece;
    }
  }
  const input = Readable.from(pieces(), { objectMode: false });
  const sha256 = new Promise<string>((resolve) => input.once('end', () => resolve(hash.digest('hex'))));
  return { input, sha256 };
}

/** Reads a little at a time, a process for each. */
const SLOWLY =
  'while dd bs=16k count=8 iflag=fullblock status=none > "$1" && [ -s "$1" ]; do cat "$1"; done | sha256sum';
const QUICKLY = 'sha256sum';

describe('large packets that are used again', () => {
  const ways = [
    { way: 'with new keys again and again', config: ['RekeyLimit 1M'], text: QUICKLY, cipher: 'aes128-gcm' },
    { way: 'to a slow reader, with new keys', config: ['RekeyLimit 1M'], text: SLOWLY, cipher: 'aes128-gcm' },
    { way: 'with chacha20', config: ['Ciphers chacha20-poly1305@openssh.com'], text: QUICKLY, cipher: 'chacha20' },
    { way: 'with a cipher that is left alone', config: ['Ciphers aes128-ctr'], text: QUICKLY, cipher: 'aes128-ctr' },
  ];
  for (const { way, config, text, cipher } of ways) {
    test(`carry what they shall: ${way}`, async () => {
      await using sshd = await startSshd({ config: [...config, 'LogLevel DEBUG1'] });
      const written = vi.spyOn(Socket.prototype, 'write');
      await using first = await connect(sshd.settings());
      await using second = await connect(sshd.settings());
      const results = await Promise.all(
        [first, second, first].map(async (transport, at) => {
          const { input, sha256 } = content(8 * MIB);
          const { stdout } = await transport.run({ name: 'take', text }, [`${sshd.dir}/taken-${at}`], { input });
          expect(stdout).toBe(`${await sha256}  -\n`);
          return sha256;
        }),
      );
      const buffers = written.mock.calls.flatMap(([chunk]) =>
        chunk instanceof Uint8Array && chunk.length > PACKET_BYTES ? [chunk.buffer] : [],
      );
      written.mockRestore();
      expect(results).toHaveLength(3);
      expect(sshd.log()).toContain(cipher);
      // Two are those of the log-ins. How many more depends on what travels while keys are made.
      if (config.includes('RekeyLimit 1M'))
        expect(sshd.log().match(/SSH2_MSG_KEXINIT received/g)?.length).toBeGreaterThan(4);
      if (!nativeCrypto || cipher === 'aes128-ctr') return;
      expect(buffers.length).toBeGreaterThan(500);
      expect(new Set(buffers).size).toBeLessThan(buffers.length / 2);
    });
  }
});

describe('a watched socket', () => {
  test('tells of the bytes that were announced, once they are sent', async () => {
    const socket = new PassThrough();
    const writes = watchWrites(socket);
    const bytes = Buffer.from('announced');
    const sent = new Promise<void>((resolve) => writes.expect(bytes, resolve));
    socket.write(bytes);
    await sent;
    expect(socket.read()).toEqual(bytes);
  });

  test('never tells of others, nor of what could not be sent', async () => {
    const socket = new PassThrough();
    const writes = watchWrites(socket);
    const told = vi.fn();
    writes.expect(Buffer.from('announced'), told);
    await new Promise<void>((resolve) => socket.write(Buffer.from('another'), () => resolve()));
    socket.on('error', () => {}).destroy();
    const bytes = Buffer.from('late');
    writes.expect(bytes, told);
    socket.write(bytes);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).not.toHaveBeenCalled();
  });

  test('takes all forms of a write', async () => {
    const socket = new PassThrough();
    watchWrites(socket);
    await new Promise<void>((resolve) => socket.write('6162', 'hex', () => resolve()));
    await new Promise<void>((resolve) => socket.write('c', () => resolve()));
    socket.end('d');
    expect((await socket.toArray()).join('')).toBe('abcd');
  });
});
