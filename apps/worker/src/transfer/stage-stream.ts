import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlobStore } from '@rexdeploy/store/blobs';
import { type Manifest, type ManifestEntry, serializeManifest } from '@rexdeploy/store/manifest';
import { paddingAfter, tarHeader } from '@rexdeploy/store/tar-header';
import { tarStream } from '@rexdeploy/store/tree';
import type { Delta } from './delta.js';

/** Owner may list, enter and change: without it nothing can be placed below a directory. */
const OWNER_ALL = 0o700;

/** What travels to a host, and what is checked there. */
export interface Cargo {
  delta: Delta;
  /** Paths of the difference that a former attempt brought: they are checked again and not sent again. */
  there: ReadonlySet<string>;
  /** Paths whose content is not up to the host. */
  stated: ReadonlySet<string>;
  /** What is laid over the configuration. */
  config: Manifest;
}

/**
 * What stage.sh reads: control files, then the program's difference under tree/, then what is laid over the
 * configuration under config/.
 * @param onBytes told of each piece that leaves, in bytes
 */
export function stageStream(
  { delta, there, stated, config }: Cargo,
  blobs: BlobStore,
  onBytes: (bytes: number) => void,
): Readable {
  const opened: string[] = [];
  const tree = delta.send.map((entry) => below('tree', openDirectory(entry, opened)));
  const laidOver = config.entries.map((entry) => below('config', entry));
  const checked = [...tree, ...laidOver];
  const travelling = [
    ...tree.filter((_, index) => !there.has(delta.send[index]?.path ?? '')),
    ...(laidOver.length > 0 ? [folder('config')] : []),
    ...laidOver,
  ];
  const controls = {
    keep: delta.keep.map((path) => `${path}\0`).join(''),
    fixed: delta.keep.map((path) => (stated.has(path) ? `${path}\0` : '')).join(''),
    sums: checked.map(sumLine).join(''),
    dirmodes: opened.join(''),
    manifest: serializeManifest(delta.target),
  };
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for (const [name, text] of Object.entries(controls)) yield controlFile(`control/${name}`, text);
    for await (const piece of tarStream(travelling, blobs)) {
      const bytes = piece as Buffer;
      yield bytes;
      onBytes(bytes.length);
    }
  };
  return Readable.from(pieces(), { objectMode: false, highWaterMark: 512 * 1024 });
}

const folder = (path: string): ManifestEntry => ({ path, type: 'dir', mode: 0o755, size: 0, mtime: 0 });
const below = (parent: string, entry: ManifestEntry): ManifestEntry => ({ ...entry, path: `${parent}/${entry.path}` });

/** A directory that its owner may not write to is sent open and closed by the script when all lies in it. */
function openDirectory(entry: ManifestEntry, opened: string[]): ManifestEntry {
  if (entry.type !== 'dir' || (entry.mode & OWNER_ALL) === OWNER_ALL) return entry;
  opened.push(`${entry.mode.toString(8)} ${entry.path}\n`);
  return { ...entry, mode: entry.mode | OWNER_ALL };
}

/** A line for `sha256sum -c`, which escapes names with a backslash or newline. */
function sumLine(entry: ManifestEntry): string {
  if (entry.type !== 'file') return '';
  const escaped = entry.path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `${escaped === entry.path ? '' : '\\'}${entry.sha256}  ${escaped}\n`;
}

function controlFile(path: string, text: string): Buffer {
  const content = Buffer.from(text);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const entry: ManifestEntry = { path, type: 'file', mode: 0o644, size: content.length, mtime: 0, sha256 };
  return Buffer.concat([tarHeader(entry), content, Buffer.alloc(paddingAfter(content.length))]);
}
