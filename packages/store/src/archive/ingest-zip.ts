import { addAbortSignal, type Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import type { BlobStore } from '../blobs.js';
import type { Manifest } from '../manifest.js';
import { refusal } from '../path-rules.js';
import { ContentSink } from './content-sink.js';
import { asDamage } from './damage.js';
import type { IngestOptions } from './options.js';
import { TreeBuilder } from './tree-builder.js';
import { understandZipEntry, type ZipEntry } from './zip-entry.js';

/** Longest target of a symlink, PATH_MAX of Linux. */
const MAX_TARGET_BYTES = 4096;

/**
 * Takes in a zip: contents into the store, entries into the manifest.
 * @throws PackageError for whatever is wrong with it; PackageTooLargeError past the limit
 */
export async function ingestZip(
  file: string,
  blobs: BlobStore,
  { maxBytes, signal }: IngestOptions,
): Promise<Manifest> {
  const tree = new TreeBuilder('zip', maxBytes);
  const sink = new ContentSink(blobs);
  const zip = await opened(file);
  try {
    for await (const entry of entriesOf(zip)) {
      signal?.throwIfAborted();
      const understood = understandZipEntry(entry);
      const content = (): AsyncIterable<Buffer> => contentOf(zip, entry, understood.name, signal);
      if (understood.type === 'dir') tree.addDir(understood);
      else if (understood.type === 'symlink') tree.addSymlink(understood, await targetOf(understood, content));
      else tree.setContent(tree.addFile(understood, understood.size), await sink.add(content(), understood.size));
    }
    await sink.finish();
  } finally {
    await sink.settle();
    zip.close();
  }
  return tree.finish();
}

async function opened(file: string): Promise<ZipFile> {
  try {
    // Names are decoded and judged by our own rules, so that a bad one is reported under its own name.
    return await openPromise(file, { autoClose: false, decodeStrings: false });
  } catch (error) {
    throw asDamage(error);
  }
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  try {
    yield* zip.eachEntry();
  } catch (error) {
    throw asDamage(error);
  }
}

async function* contentOf(
  zip: ZipFile,
  entry: Entry,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  let crc = 0;
  try {
    const stream: Readable = await zip.openReadStreamPromise(entry);
    if (signal !== undefined) addAbortSignal(signal, stream);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw asDamage(error, name);
  }
  if (crc !== entry.crc32) throw new PackageError({ where: name, what: 'its content does not match its checksum' });
}

async function targetOf(entry: ZipEntry, content: () => AsyncIterable<Buffer>): Promise<string> {
  if (entry.size > MAX_TARGET_BYTES) throw refusal(entry.name, 'a symlink whose target is too long');
  const chunks: Buffer[] = [];
  for await (const chunk of content()) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
