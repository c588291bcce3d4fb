import type { Header } from 'tar-stream';
import { refusal } from '../path-rules.js';

/** One entry of a tar, its header understood. `mtime` in Unix seconds, `size` in bytes. */
export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'hardlink';
  readonly mode: number;
  readonly mtime: number;
  readonly size: number;
  /** What a link names; `''` for other types. */
  readonly linkName: string;
}

const TYPES = new Map<Header['type'], TarEntry['type']>([
  ['file', 'file'],
  ['contiguous-file', 'file'],
  ['directory', 'dir'],
  ['symlink', 'symlink'],
  ['link', 'hardlink'],
]);
const REFUSED = new Map<Header['type'], string>([
  ['character-device', 'a character device'],
  ['block-device', 'a block device'],
  ['fifo', 'a named pipe'],
]);

/**
 * Makes sense of a tar header: old directories, times of pax records, types we refuse.
 * @throws PackageError for devices, pipes, sparse files, and types only one vendor knows
 */
export function understandHeader(header: Header): TarEntry {
  const { name, size, mode } = header;
  const pax = (header.pax ?? {}) as Readonly<Record<string, string>>;
  if (Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'))) throw refusal(name, 'a sparse file');
  const type = typeOf(header);
  // Some formats let a link carry the content of its target; readers disagree on whether it does, so we take neither side.
  if (type !== 'file' && type !== 'dir' && size > 0) throw refusal(name, 'a link with content');
  const mtime = pax.mtime === undefined ? header.mtime.getTime() / 1000 : Number(pax.mtime);
  return { name, type, mode, mtime, size: type === 'file' ? size : 0, linkName: header.linkname ?? '' };
}

function typeOf({ name, type, size }: Header): TarEntry['type'] {
  if (type === 'file' && name.endsWith('/')) {
    // Before there was a type for directories, tar wrote them as empty files with a trailing '/'.
    if (size === 0) return 'dir';
    throw refusal(name, 'a directory with content');
  }
  const known = TYPES.get(type);
  if (known !== undefined) return known;
  const refused = REFUSED.get(type);
  if (refused !== undefined) throw refusal(name, refused);
  throw refusal(name, 'an entry type that is not supported (sparse, multi-volume or known to one vendor only)');
}
