import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseConfig } from '@rexdeploy/shared/config/load';
import { ConfigError } from '@rexdeploy/shared/errors/config-error';
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { sortInventory } from '../import/instances.js';
import { Notes } from '../import/notes.js';
import { type OriginalConfig, readOriginalConfig } from '../import/original-config.js';
import { readDump } from '../import/read-dump.js';
import { INVENTORY, readJson } from '../import/read-json.js';
import type { Tables } from '../import/tables.js';
import { writeConfig } from '../import/write-config.js';
import { note, print } from '../output.js';

interface Options {
  output?: string;
  env?: string;
}

/** `rex import`: an inventory of RexDeployV3 as a config.yml. */
export function addImport(parent: Command): void {
  parent
    .command('import <file>')
    .description(
      "make a config.yml of the original's inventory: a mysqldump or JSON with pre_server_detail, load_key_sorts",
    )
    .option('-o, --output <file>', 'write there, never over a file (default: stdout)')
    .option('--env <key>', 'the environment that the inventory is of (default: env.key of --config, else prod)')
    .addHelpText('after', '\nWith -c, --config <file>: the original config.yml, for log-in, waits and texts.')
    .action((file: string, { output, env }: Options, command: Command) => {
      const notes = new Notes();
      const { config } = command.optsWithGlobals<{ config?: string }>();
      const original = config === undefined ? nothingKnown(env) : readOriginalConfig(config, notes, env);
      const names = sortInventory(read(file), notes);
      const text = writeConfig(names, original, notes);
      if (output === undefined) print(text.trimEnd());
      else writeNew(output, text);
      for (const line of notes.lines) note(`not carried over: ${line}`);
      for (const line of faultsOf(text)) note(`to be mended: ${line}`);
    });
}

const nothingKnown = (environment = 'prod'): OriginalConfig => ({
  environment,
  password: false,
  sudo: false,
  allowEnv: [],
  health: {},
});

/** @throws UsageError when nothing of an inventory is in it */
function read(file: string): Tables {
  try {
    const text = decode(readFileSync(file));
    const tables = /^\s*[[{]/.test(text) ? readJson(text) : readDump(text);
    if ((tables.rows.get(INVENTORY)?.length ?? 0) > 0) return tables;
    const found = [...tables.rows.keys()].join(', ') || 'none';
    const problems = tables.problems.length === 0 ? '' : `; ${tables.problems.join('; ')}`;
    throw new UsageError({ where: file, what: `holds no rows of ${INVENTORY}; tables with rows: ${found}${problems}` });
  } catch (cause) {
    if (cause instanceof UsageError)
      throw new UsageError({ where: cause.where ?? file, what: cause.what, whatToDo: cause.whatToDo });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError({ where: file, what: `cannot be read as a mysqldump or as JSON: ${why}`, cause });
  }
}

/** Names in another encoding would be damaged without a word. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const whatToDo = 'make it with mysqldump --default-character-set=utf8mb4 --hex-blob';
    throw new UsageError({ what: 'it is not UTF-8', whatToDo, cause });
  }
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    throw new UsageError({ where: file, what: taken ? 'is there already' : 'cannot be written', cause });
  }
}

/** What `rex config check` would say. */
function faultsOf(text: string): string[] {
  try {
    parseConfig(text, resolve('config.yml'), process.env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path, found, expected }) => `${path}: found ${found}, expected ${expected}`);
  }
}
