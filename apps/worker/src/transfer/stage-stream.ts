import { Readable } from 'node:stream';
import type { BlobStore } from '@rexdeploy/store/blobs';
import {
  type FileEntry,
  type Manifest,
  type ManifestEntry,
  serializeManifest,
  totalSize,
} from '@rexdeploy/store/manifest';
import { PieceBuffers } from '@rexdeploy/store/piece-buffers';
import { type InlineFile, type TarItem, tarLength, tarPieces } from '@rexdeploy/store/tar-pieces';
import type { Delta } from './delta.js';
import { choosePacking, gzipped, LineMeter, type Packing, PROBE_BYTES } from './packing.js';
import { sumLists } from './sums.js';

/** Owner may list, enter and change: without it nothing can be placed below a directory. */
const OWNER_ALL = 0o700;
/** Below this the line is not measured: what packing could save is over before it begins. */
const MEASURED_FROM_BYTES = 24 * 1024 ** 2;
/** One piece that is being sent and one that is ready. */
const AHEAD_BYTES = 512 * 1024;
/** Shared by all transfers of this process. */
const buffers = new PieceBuffers();

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

/** A cargo on its way. */
export interface Shipment {
  /** What stage.sh reads. */
  stream: Readable;
  /** Lists of sums that come with it, see sums.sh. */
  lists: number;
  /** How it is packed, as stage.sh takes it. */
  packing: string;
  /** Takes back a piece of the stream that is read no more. */
  taken(piece: Buffer): void;
  /** Bytes that the host has taken so far, and how the larger part of them was packed. */
  sent(): { wire: number; packing: Packing };
}

/**
 * Control files, then the program's difference under tree/, then what is laid over the configuration under config/; among
 * them the sums of what has come so far. Where the line is measured, it comes in two tars: the first one is not packed, and
 * a line with the packing of the second one follows it.
 * @param onBytes told of the bytes that the host has taken, control files left out
 */
export function shipmentOf(
  cargo: Cargo,
  compression: 'auto' | 'none' | 'gzip',
  blobs: BlobStore,
  onBytes: (bytes: number) => void,
): Shipment {
  const opened: string[] = [];
  const { before, arriving } = arrange(cargo, opened);
  const isMeasured = compression === 'auto' && totalSize({ entries: arriving }) >= MEASURED_FROM_BYTES;
  const { first, rest } = isMeasured ? divide(arriving) : { first: [], rest: arriving };
  const { lists, unlisted } = sumLists([...before, ...first, ...rest]);
  const controls = controlFiles(cargo, unlisted, opened);
  const listAt = new Map(lists.map(({ end, text }, index) => [end, controlFile(`sums-${index + 1}`, text)]));
  /** Entries with the lists that belong behind them. @param done how many are before them */
  function* listed(entries: readonly ManifestEntry[], done: number): Generator<TarItem> {
    for (const [index, entry] of entries.entries()) {
      yield entry;
      const list = listAt.get(done + index + 1);
      if (list !== undefined) yield list;
    }
  }
  const firstPart = [
    ...controls,
    ...[...listAt].flatMap(([end, list]) => (end <= before.length ? [list] : [])),
    ...(isMeasured ? directories(arriving) : []),
    ...listed(first, before.length),
    ...(isMeasured ? probe(first, rest) : []),
  ];
  const restPart = (): TarItem[] => [...listed(rest, before.length + first.length)];

  let chosen: Packing = compression === 'gzip' ? 'gzip' : 'none';
  const meter = new LineMeter();
  let controlBytes = controls.reduce((sum, { size }) => sum + size, 0);
  const count = (piece: Buffer): void => {
    const ofControls = Math.min(controlBytes, piece.length);
    controlBytes -= ofControls;
    onBytes(piece.length - ofControls);
  };
  async function* packed(items: readonly TarItem[]): AsyncGenerator<Buffer> {
    // Their buffers are not given back: nobody knows when they are read no more.
    for await (const piece of tarPieces(items, blobs)) {
      count(piece);
      yield piece;
    }
  }
  async function* pieces(): AsyncGenerator<Buffer> {
    if (!isMeasured) {
      const items = [...firstPart, ...restPart()];
      return yield* chosen === 'gzip' ? gzipped(packed(items)) : tarPieces(items, blobs, buffers);
    }
    yield* tarPieces(firstPart, blobs, buffers);
    chosen = await choosePacking(await meter.rate, rest.filter(isFile), blobs);
    yield Buffer.from(`${chosen}\n`);
    yield* chosen === 'gzip' ? gzipped(packed(restPart())) : tarPieces(restPart(), blobs, buffers);
  }
  const firstBytes = isMeasured ? tarLength(firstPart) : 0;
  let wire = 0;
  const taken = (piece: Buffer): void => {
    wire += piece.length;
    meter.add(piece.length);
    if (wire >= firstBytes) meter.end();
    if (chosen === 'none') count(piece);
    buffers.giveBack(piece);
  };
  return {
    stream: Readable.from(pieces(), { objectMode: false, highWaterMark: AHEAD_BYTES }),
    lists: lists.length,
    packing: isMeasured ? String(firstBytes) : chosen,
    taken,
    sent: () => ({ wire, packing: chosen }),
  };
}

/** What a former attempt brought, and what arrives, in its order; directories that cannot be written to are opened. */
function arrange({ delta, there, config }: Cargo, opened: string[]) {
  const tree = delta.send.map((entry) => below('tree', openDirectory(entry, opened)));
  const isThere = (_: ManifestEntry, index: number): boolean => there.has(delta.send[index]?.path ?? '');
  const arriving = [
    ...tree.filter((entry, index) => !isThere(entry, index)),
    ...(config.entries.length > 0 ? [folder('config')] : []),
    ...config.entries.map((entry) => below('config', entry)),
  ];
  return { before: tree.filter(isThere), arriving };
}

/** Small files to measure the line with, and all the rest. */
function divide(arriving: readonly ManifestEntry[]): { first: FileEntry[]; rest: ManifestEntry[] } {
  const first: FileEntry[] = [];
  const rest: ManifestEntry[] = [];
  let bytes = 0;
  for (const entry of arriving) {
    const fits = isFile(entry) && bytes + entry.size <= PROBE_BYTES;
    if (fits) {
      first.push(entry);
      bytes += entry.size;
    } else {
      rest.push(entry);
    }
  }
  return { first, rest };
}

/** Where there are too few small files, the beginning of a large one is sent for nothing. */
function probe(first: readonly FileEntry[], rest: readonly ManifestEntry[]): ManifestEntry[] {
  const missing = PROBE_BYTES - first.reduce((sum, { size }) => sum + size, 0);
  const [largest] = rest.filter(isFile).toSorted((a, b) => b.size - a.size);
  if (missing <= 0 || largest === undefined) return [];
  return [{ ...largest, path: 'control/probe', mode: 0o644, size: Math.min(missing, largest.size) }];
}

const directories = (entries: readonly ManifestEntry[]) => entries.filter(({ type }) => type === 'dir');
const isFile = (entry: ManifestEntry): entry is FileEntry => entry.type === 'file';
const folder = (path: string): ManifestEntry => ({ path, type: 'dir', mode: 0o755, size: 0, mtime: 0 });
const below = (parent: string, entry: ManifestEntry): ManifestEntry => ({ ...entry, path: `${parent}/${entry.path}` });

/** A directory that its owner may not write to is sent open and closed by the script when all lies in it. */
function openDirectory(entry: ManifestEntry, opened: string[]): ManifestEntry {
  if (entry.type !== 'dir' || (entry.mode & OWNER_ALL) === OWNER_ALL) return entry;
  opened.push(`${entry.mode.toString(8)} ${entry.path}\n`);
  return { ...entry, mode: entry.mode | OWNER_ALL };
}

function controlFiles({ delta, stated }: Cargo, sums: string, opened: readonly string[]): InlineFile[] {
  return [
    controlFile('keep', delta.keep.map((path) => `${path}\0`).join('')),
    controlFile('fixed', delta.keep.map((path) => (stated.has(path) ? `${path}\0` : '')).join('')),
    controlFile('sums', sums),
    controlFile('dirmodes', opened.join('')),
    controlFile('manifest', serializeManifest(delta.target)),
  ];
}

function controlFile(name: string, text: string): InlineFile {
  const content = Buffer.from(text);
  return { path: `control/${name}`, type: 'file', mode: 0o644, size: content.length, mtime: 0, content };
}
