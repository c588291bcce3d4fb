import type { ManifestEntry } from './manifest.js';

/** Tar is made of blocks of this size. */
export const BLOCK_BYTES = 512;
/** Longest name and link target that fit the header itself. */
const NAME_BYTES = 100;
/** Largest size of eleven octal digits, 8 GiB - 1. */
const MAX_OCTAL_SIZE = 0o77777777777;
const TYPE_FLAG = { file: '0', dir: '5', symlink: '2' } as const;

/** What a header tells. */
export type TarFields = Pick<ManifestEntry, 'path' | 'type' | 'mode' | 'size' | 'mtime' | 'target'>;

/**
 * The header blocks of an entry in GNU's tar format ("Basic Tar Format" of GNU tar's manual): names over 100 bytes
 * travel in an entry of their own, sizes from 8 GiB on are binary. Chosen over pax because busybox's tar skips pax
 * records and would unpack a long path under a cut name; GNU tar, bsdtar and busybox all read this.
 */
export function tarHeader(entry: TarFields): Buffer {
  const name = Buffer.from(entry.type === 'dir' ? `${entry.path}/` : entry.path);
  const target = Buffer.from(entry.target ?? '');
  return Buffer.concat([
    ...(target.length > NAME_BYTES ? longName('K', target) : []),
    ...(name.length > NAME_BYTES ? longName('L', name) : []),
    block({ name, target, flag: TYPE_FLAG[entry.type], mode: entry.mode, size: entry.size, mtime: entry.mtime }),
  ]);
}

/** Bytes that fill the last block of a content of `size` bytes. */
export function paddingAfter(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function longName(flag: 'K' | 'L', text: Buffer): Buffer[] {
  const size = text.length + 1;
  const head = block({ name: Buffer.from('././@LongLink'), target: Buffer.alloc(0), flag, mode: 0, size, mtime: 0 });
  return [head, text, Buffer.alloc(1 + paddingAfter(size))];
}

interface Fields {
  name: Buffer;
  target: Buffer;
  flag: string;
  mode: number;
  size: number;
  mtime: number;
}

/** Offsets and lengths of the fields are those of the format; owner and group are root, the host decides anyway. */
function block({ name, target, flag, mode, size, mtime }: Fields): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  name.copy(header, 0, 0, NAME_BYTES);
  header.write(octal(mode, 7), 100, 'latin1');
  header.write(octal(0, 7), 108, 'latin1');
  header.write(octal(0, 7), 116, 'latin1');
  if (size > MAX_OCTAL_SIZE) writeBinarySize(header, size);
  else header.write(octal(size, 11), 124, 'latin1');
  header.write(octal(mtime, 11), 136, 'latin1');
  header.write(flag, 156, 'latin1');
  target.copy(header, 157, 0, NAME_BYTES);
  header.write('ustar  ', 257, 'latin1');
  header.write('root', 265, 'latin1');
  header.write('root', 297, 'latin1');
  header.write(`${octal(checksum(header), 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function writeBinarySize(header: Buffer, size: number): void {
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(size), 128);
}

/** Sum of all bytes, the checksum's own eight counted as spaces. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (const byte of header) sum += byte;
  return sum;
}
