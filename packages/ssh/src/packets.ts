import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';

/**
 * ssh2 makes a new buffer for every packet it sends. For a gigabyte these are 33,000 buffers outside of the heap, and the
 * garbage collections that they bring on took a third of the sender's processor time. Here the buffers of large packets
 * are used again once the socket has handed them on.
 *
 * This goes by names that are private to ssh2: where one of them is not as it was in the version below, everything is
 * left as ssh2 has it.
 */
const KNOWN_VERSION = '1.17.0';
/** Ciphers of ssh2 that encrypt a packet in its own buffer and hand that very buffer to the socket. */
const IN_PLACE: ReadonlySet<string> = new Set(['AESGCMCipherBinding', 'ChaChaPolyCipherBinding']);
/** Smaller ones come from Node's own pool, or are few. */
const LARGE_BYTES = 16 * 1024;
/** Kept for all connections together: two of ssh2's windows of 2 MiB, in packets of OpenSSH's 32 KiB. */
const KEPT = 128;
/** Length of the packet and of its padding (RFC 4253 §6). */
const HEADER_BYTES = 5;

interface Cipher {
  allocPacket(payloadBytes: number): Buffer;
}

/** A buffer in the form that a kind of cipher gives a payload of some length, and how it begins. */
interface Packet {
  readonly form: string;
  readonly bytes: Buffer;
  readonly header: Buffer;
  readonly payloadBytes: number;
}

const free: Packet[] = [];

/**
 * Makes a connection use its large packets again; to be called after each of its key exchanges, which bring new ciphers.
 *
 * @returns whether ssh2 and the cipher are as they are known here
 */
export function reusePackets(client: Client, socket: PacketSocket): boolean {
  const cipher = cipherOf(client);
  if (cipher === undefined) return false;
  const kind = cipher.constructor.name;
  const allocate = cipher.allocPacket.bind(cipher);
  cipher.allocPacket = (payloadBytes) => {
    if (payloadBytes < LARGE_BYTES) return allocate(payloadBytes);
    const form = `${kind} ${payloadBytes}`;
    const packet = takeFree(form) ?? newPacket(form, payloadBytes, allocate(payloadBytes));
    // ssh2 encrypts and writes it before it asks for another one.
    socket.expect(packet.bytes, () => {
      if (free.length < KEPT) free.push(packet);
    });
    return packet.bytes;
  };
  return true;
}

const newPacket = (form: string, payloadBytes: number, bytes: Buffer): Packet => {
  return { form, bytes, payloadBytes, header: Buffer.from(bytes.subarray(0, HEADER_BYTES)) };
};

/** As `allocPacket` of ssh2 would make it: encrypting has changed all of it. */
function takeFree(form: string): Packet | undefined {
  const packet = free.at(-1);
  // Nearly all are of one form; others only take their place.
  free.pop();
  if (packet?.form !== form) return undefined;
  const { bytes, header, payloadBytes } = packet;
  bytes.set(header);
  fillRandomly(bytes, HEADER_BYTES + payloadBytes, header[HEADER_BYTES - 1] ?? 0);
  return packet;
}

/** Asking the system for a few random bytes costs as much as encrypting a packet does. */
const random = Buffer.alloc(4096);
let randomUsed = random.length;
function fillRandomly(bytes: Buffer, at: number, count: number): void {
  if (randomUsed + count > random.length) {
    randomFillSync(random);
    randomUsed = 0;
  }
  bytes.set(random.subarray(randomUsed, randomUsed + count), at);
  randomUsed += count;
}

/** A socket that tells when it has handed on what was announced to it. */
export interface PacketSocket {
  /** The next write may be of these bytes: `done` is called once they are sent, and never when they are not. */
  expect(bytes: Buffer, done: () => void): void;
}

type Told = (error?: Error | null) => void;

/** Watches the writes to a socket, which is changed for it. */
export function watchWrites(socket: Duplex): PacketSocket {
  let expected: { bytes: Buffer; done: () => void } | undefined;
  const write = socket.write.bind(socket);
  socket.write = (chunk: unknown, encoding?: BufferEncoding | Told, told?: Told): boolean => {
    const { bytes, done } = expected ?? {};
    expected = undefined;
    if (chunk === bytes && done !== undefined && encoding === undefined) {
      return write(chunk, (error) => {
        if (error === undefined || error === null) done();
      });
    }
    return typeof encoding === 'string' ? write(chunk, encoding, told) : write(chunk, encoding);
  };
  return {
    expect(bytes, done) {
      expected = { bytes, done };
    },
  };
}

const isKnownVersion: boolean = versionOf() === KNOWN_VERSION;

function versionOf(): unknown {
  try {
    const about: unknown = createRequire(import.meta.url)('ssh2/package.json');
    return typeof about === 'object' && about !== null ? Reflect.get(about, 'version') : undefined;
  } catch {
    return undefined;
  }
}

function cipherOf(client: Client): (Cipher & object) | undefined {
  if (!isKnownVersion) return undefined;
  const protocol: unknown = Reflect.get(client, '_protocol');
  if (typeof protocol !== 'object' || protocol === null) return undefined;
  const cipher: unknown = Reflect.get(protocol, '_cipher');
  return isCipher(cipher) && IN_PLACE.has(cipher.constructor.name) ? cipher : undefined;
}

function isCipher(cipher: unknown): cipher is Cipher & object {
  return typeof cipher === 'object' && cipher !== null && typeof Reflect.get(cipher, 'allocPacket') === 'function';
}
