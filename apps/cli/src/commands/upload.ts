import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Leaves } from '@rexdeploy/shared/api/envelope-schema';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { EXIT, RefusedError, UsageError } from '../errors.js';
import { note, print, printJson } from '../output.js';
import { openTransferView } from '../render/transfer-view.js';
import { withClient, withServerOptions } from '../server.js';

interface Options {
  k: string;
  kind: 'program' | 'config';
  instance?: string;
  sha256?: string;
  json?: true;
}

/** `rex upload`: stores a package for a later deployment. */
export function addUpload(parent: Command): void {
  const command = parent
    .command('upload')
    .description('upload a package: a program, or the configuration of one instance')
    .argument('<file>', 'a .tar, .tar.gz or .zip')
    .requiredOption('--k <name>', 'the name it is for')
    .addOption(new Option('--kind <kind>', 'what it holds').choices(['program', 'config']).default('program'))
    .option('--instance <key>', 'instance that the configuration is for')
    .option('--sha256 <digest>', 'digest that the file must have', digest)
    .option('--json', 'print JSON');
  withServerOptions(command).action((path: string, options: Options) =>
    withClient(command, async (client) => {
      const { k, kind, instance } = options;
      if ((kind === 'config') !== (instance !== undefined)) {
        throw new UsageError({ what: '--kind config and --instance belong together' });
      }
      const size = await sizeOf(path);
      const name = basename(path);
      using view = openTransferView();
      process.once('SIGINT', interrupted);
      view.begin(`reading ${name}`, size);
      const sha256 = await digestOf(path, options.sha256, view.add);
      const fields = { k, kind, ...(instance && { instance }), sha256 };
      view.begin(`sending ${name}`, size, 'sent; the API checks and stores it');
      const { data } = await client.upload({ fields, file: { path, name, size, onBytes: view.add } });
      view.end();
      const stored = { package: data.package, files: data.files, size: data.size, sha256: data.sha256 };
      if (options.json) return printJson(stored);
      print(`${text(stored.package)}: ${text(stored.files)} files, ${text(stored.size)} bytes`);
    }),
  );
}

function interrupted(): void {
  note('rex: no longer sending; what has not arrived whole is not kept');
  process.exit(EXIT.interrupted);
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError({ where: path, what: `cannot be read (${cause.code})`, cause });
  });
  if (found.isFile()) return found.size;
  throw new UsageError({ where: path, what: 'is no file', whatToDo: 'pack it: tar -czf package.tgz -C FOLDER .' });
}

/** Sent along in any case, so that the API notices an upload that was damaged on its way. */
async function digestOf(path: string, expected: string | undefined, onBytes: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) {
    hash.update(piece);
    onBytes(piece.length);
  }
  const found = hash.digest('hex');
  if (expected === undefined || expected === found) return found;
  throw new RefusedError({ where: path, what: `its sha256 is ${found}, not ${expected}; nothing was uploaded` });
}

function digest(value: string): string {
  if (/^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  throw new InvalidArgumentError('64 hexadecimal digits.');
}

const text = (leaf: Leaves | undefined): string => (typeof leaf === 'string' ? leaf : '-');
