import { type Entry, getFileNameLowLevel } from 'yauzl';
import { refusal } from '../path-rules.js';

/** One entry of a zip, its attributes understood. `mtime` in Unix seconds, `size` in bytes unpacked. */
export interface ZipEntry {
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink';
  readonly mode: number;
  readonly mtime: number;
  readonly size: number;
}

/** "Version made by", APPNOTE 4.4.2: systems whose external attributes hold a Unix mode in the upper half. */
const UNIX = 3;
const DARWIN = 19;
/** General purpose bit 11, APPNOTE 4.4.4: the name is UTF-8. */
const UTF8_FLAG = 0x800;
/** Info-ZIP's extra field with the name in UTF-8. */
const UNICODE_PATH = 0x7075;

/** File types of stat(2). */
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const SYMLINK = 0o120000;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Makes sense of a zip's directory record.
 * @throws PackageError for encrypted entries, devices, pipes and sockets, and names that are not UTF-8
 */
export function understandZipEntry(entry: Entry): ZipEntry {
  const name = nameOf(entry);
  if (entry.isEncrypted()) throw refusal(name, 'the entry is encrypted');
  const unixMode = unixModeOf(entry);
  const type = typeOf(name, unixMode & TYPE_MASK);
  const size = entry.uncompressedSize;
  if (type === 'dir' && size > 0) throw refusal(name, 'a directory with content');
  const mode = unixMode === 0 ? (type === 'dir' ? 0o755 : 0o644) : unixMode & 0o7777;
  return { name, type, mode, mtime: entry.getLastModDate().getTime() / 1000, size };
}

/** 0 when the zip was not made on a Unix, or its maker left the mode out. */
function unixModeOf(entry: Entry): number {
  const madeOn = entry.versionMadeBy >>> 8;
  return madeOn === UNIX || madeOn === DARWIN ? entry.externalFileAttributes >>> 16 : 0;
}

function typeOf(name: string, unixType: number): ZipEntry['type'] {
  if (unixType === DIRECTORY) return 'dir';
  if (unixType === SYMLINK) return 'symlink';
  if (unixType !== REGULAR && unixType !== 0) throw refusal(name, 'a device, named pipe or socket');
  return name.endsWith('/') ? 'dir' : 'file';
}

function nameOf(entry: Entry): string {
  const { generalPurposeBitFlag: flags, fileNameRaw, extraFields } = entry;
  const isMarkedUtf8 = (flags & UTF8_FLAG) !== 0;
  if (!isMarkedUtf8 && extraFields.some((field) => field.id === UNICODE_PATH)) {
    return getFileNameLowLevel(flags, fileNameRaw, extraFields, true);
  }
  try {
    // Many tools write UTF-8 without saying so. Other encodings (GBK, CP437) cannot be told apart; guessing would
    // install files under wrong names.
    return utf8.decode(fileNameRaw);
  } catch {
    throw refusal(fileNameRaw.toString('latin1'), 'the name is not UTF-8');
  }
}
