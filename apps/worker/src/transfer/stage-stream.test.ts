import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { makeKeyPair } from '@rexdeploy/sandbox/keys';
import { findFreePort } from '@rexdeploy/sandbox/ports';
import { type Sshd, startSshd } from '@rexdeploy/sandbox/sshd';
import { connect } from '@rexdeploy/ssh/ssh2-transport';
import type { Transport } from '@rexdeploy/ssh/transport';
import { FolderBlobStore } from '@rexdeploy/store/blobs';
import { type FileEntry, type Manifest, makeManifest, totalSize } from '@rexdeploy/store/manifest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDelta } from './delta.js';
import { type Shipment, shipmentOf } from './stage-stream.js';

const MIB = 1024 ** 2;
const LINE = fileURLToPath(new URL('../../../../bench/lib/line-process.mjs', import.meta.url));
const script = {
  name: 'unpack',
  text: [
    ...['common.sh', 'sums.sh'].map((file) => readFileSync(new URL(`../../scripts/${file}`, import.meta.url), 'utf8')),
    'cd "$1" && unpack "$2" "$3" && { [ ! -s control/sums ] || sha256sum --quiet --strict -c control/sums; }',
  ].join('\n'),
};

let dir: string;
let blobs: FolderBlobStore;
let sshd: Sshd;
let line: ChildProcess;
let slow: Transport;
let quick: Transport;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rex-shipment-'));
  blobs = await FolderBlobStore.open(join(dir, 'blobs'));
  const { line: authorized, privateKey } = await makeKeyPair(join(dir, 'key'));
  const address = '127.0.0.1';
  sshd = await startSshd({ dir: join(dir, 'sshd'), address, authorizedKeys: [authorized], binDir: join(dir, 'bin') });
  const slowPort = await findFreePort(address);
  // So slow that a part of what is measured takes longer than a busy process looks away.
  line = spawn(process.execPath, [LINE, '10', '20', `${address}:${slowPort}:${sshd.port}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(line.stdout as Readable, 'data');
  const knownHostsPath = join(dir, 'known_hosts');
  for (const port of [sshd.port, slowPort]) {
    appendFileSync(knownHostsPath, sshd.hostKeys.map((key) => `[${address}]:${port} ${key}\n`).join(''));
  }
  const settings = { host: address, user: userInfo().username, privateKeyPath: privateKey, knownHostsPath };
  quick = await connect({ ...settings, port: sshd.port });
  slow = await connect({ ...settings, port: slowPort });
});
afterAll(async () => {
  await quick.close();
  await slow.close();
  line.kill();
  await sshd.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function fileOf(path: string, content: Buffer): Promise<FileEntry> {
  return { path, type: 'file', mode: 0o640, mtime: 1_600_000_000, ...(await blobs.put(Readable.from([content]))) };
}
/** Packs to about a quarter. */
const text = (bytes: number): Buffer => {
  const words = randomBytes(Math.ceil(bytes / 10));
  return Buffer.from(words.toString('hex').replaceAll('', ' word').slice(0, bytes));
};

let sent = 0;
/** Sends a tree and compares what arrived. */
async function send(
  transport: Transport,
  tree: Manifest,
  compression: 'auto' | 'none' | 'gzip',
  former: string[] = [],
) {
  sent += 1;
  const out = join(dir, `out-${sent}`);
  mkdirSync(out);
  let told = 0;
  const ship = (there: string[]): Shipment =>
    shipmentOf(
      { delta: makeDelta({ entries: [] }, tree), there: new Set(there), stated: new Set(), config: { entries: [] } },
      compression,
      blobs,
      (bytes) => {
        told += bytes;
      },
    );
  const shipment = ship(former);
  const args = [out, shipment.packing, String(shipment.lists)];
  for (const path of former) {
    mkdirSync(join(out, 'tree'), { recursive: true });
    appendFileSync(
      join(out, 'tree', path),
      readFileSync(blobs.path(tree.entries.find((each) => each.path === path)?.sha256 ?? '')),
    );
  }
  await transport.run(script, args, { input: shipment.stream, onTaken: shipment.taken });
  for (const { path, type, sha256 } of tree.entries) {
    if (type !== 'file') continue;
    expect(readFileSync(join(out, 'tree', path)).equals(readFileSync(blobs.path(sha256))), path).toBe(true);
  }
  const arrived = readdirSync(join(out, 'tree'), { recursive: true });
  expect(arrived.length).toBe(tree.entries.length);
  return {
    ...shipment.sent(),
    lists: shipment.lists,
    told,
    probe: readdirSync(join(out, 'control')).includes('probe'),
  };
}

describe('a shipment', () => {
  test('of a large program arrives, whatever its packing', async () => {
    const tree = makeManifest([
      ...(await Promise.all(
        Array.from({ length: 80 }, (_, at) => fileOf(`lib/${at % 7}/small-${at}`, text(16 * 1024))),
      )),
      await fileOf('a large one', text(18 * MIB)),
      await fileOf('odd\\name\n', randomBytes(100)),
      await fileOf('z/random', randomBytes(20 * MIB)),
    ]);
    const plain = await send(quick, tree, 'none');
    expect(plain).toMatchObject({ packing: 'none', probe: false });
    expect(plain.wire).toBeGreaterThan(totalSize(tree));
    expect(plain.told).toBeGreaterThanOrEqual(totalSize(tree));
    const packed = await send(quick, tree, 'gzip');
    expect(packed).toMatchObject({ packing: 'gzip', probe: false, lists: plain.lists });
    expect(packed.wire).toBeLessThan(totalSize(tree) - 8 * MIB);
    expect(packed.told).toBe(plain.told);
    // How quick loopback is found depends on what else runs here.
    const measured = await send(quick, tree, 'auto');
    expect(measured.probe).toBe(true);
    const resumed = await send(quick, tree, 'auto', ['a large one']);
    expect(resumed.wire).toBeLessThan(plain.wire - 12 * MIB);
  });

  test('is packed over a slow line where it packs, and only there', async () => {
    const packs = makeManifest([await fileOf('app.jar', text(26 * MIB))]);
    const first = await send(slow, packs, 'auto');
    expect(first).toMatchObject({ packing: 'gzip', probe: true });
    expect(first.wire).toBeLessThan(20 * MIB);
    const not = makeManifest([
      ...(await Promise.all(Array.from({ length: 18 }, (_, at) => fileOf(`${at}`, randomBytes(100 * 1024))))),
      await fileOf('large', randomBytes(6 * MIB)),
    ]);
    expect(await send(slow, not, 'auto')).toMatchObject({ packing: 'none' });
  });

  test('of little is neither measured nor checked in lists', async () => {
    const tree = makeManifest([await fileOf('a', text(MIB))]);
    expect(await send(slow, tree, 'auto')).toMatchObject({ packing: 'none', lists: 0, probe: false });
  });

  test('fails with its name when a content is gone, and ends the command', async () => {
    const gone = await fileOf('gone', randomBytes(100));
    await blobs.remove(gone.sha256);
    const tree = makeManifest([await fileOf('large', text(26 * MIB)), gone]);
    for (const compression of ['auto', 'gzip', 'none'] as const) {
      await expect(send(quick, tree, compression)).rejects.toThrow(`its content ${gone.sha256} is not in the store`);
    }
  });
});
