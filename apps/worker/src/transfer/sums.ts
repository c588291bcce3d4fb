import type { ManifestEntry } from '@rexdeploy/store/manifest';

/** Less than this is checked when all is there: a second program would cost the host more than it saves. */
const WATCHED_FROM_BYTES = 2 * 1024 ** 2;
/** A list for about this share of all, within bounds: each costs the host four programs, and the last one is waited for. */
const SHARE = 1 / 16;
const LIST_BYTES = { min: 16 * 1024 ** 2, max: 256 * 1024 ** 2 };

/** A line for `sha256sum -c`, which escapes names with a backslash or newline; '' for what is no file. */
export function sumLine({ type, path, sha256 }: ManifestEntry): string {
  if (type !== 'file') return '';
  return isOdd(path)
    ? `\\${sha256} *${path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`
    : `${sha256} *${path}\n`;
}

/** Programs do not agree how these names are written. */
const isOdd = (path: string): boolean => /[\\\n]/.test(path);

/** What is checked on the host while it arrives, and what when all is there. */
export interface SumLists {
  /** Lists of lines, each for the files up to and including `entries[end - 1]`. */
  lists: { end: number; text: string }[];
  /** Lines for everything that is in no list. */
  unlisted: string;
}

/**
 * Divides files into lists that are checked one by one as they arrive.
 * @param entries what is checked, in the order in which it arrives
 */
export function sumLists(entries: readonly ManifestEntry[]): SumLists {
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  const isWatched = total >= WATCHED_FROM_BYTES;
  const limit = Math.min(LIST_BYTES.max, Math.max(LIST_BYTES.min, total * SHARE));
  const lists: SumLists['lists'] = [];
  let [text, bytes, unlisted] = ['', 0, ''];
  entries.forEach((entry, index) => {
    const line = sumLine(entry);
    if (!isWatched || isOdd(entry.path)) unlisted += line;
    else text += line;
    bytes += entry.size;
    if (text === '' || (bytes < limit && index < entries.length - 1)) return;
    lists.push({ end: index + 1, text });
    [text, bytes] = ['', 0];
  });
  return { lists, unlisted };
}
