/** Builds program trees to deploy: the sample app among files of many kinds, the same for the same seed. */
import { copyFileSync, lutimesSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from './random.js';

/** Beside this file in the sources; the compiled file finds it there as well. */
const APP_DIR = fileURLToPath(new URL('../src/sample-app', import.meta.url));
const APP_FILES = ['server.js', 'package.json'];
const GENERATED = 'assets';
/** Modification times are part of a tree, so they are fixed as well. */
const EPOCH_SECONDS = 1_527_000_000;

/** About what the API page's example deploys: `32M`. */
export const DEMO_PROGRAM: ProgramSize = { sizeBytes: 32 * 1024 * 1024, files: 300 };
export const SMALL_PROGRAM: ProgramSize = { sizeBytes: 512 * 1024, files: 40 };

export interface ProgramSize {
  sizeBytes: number;
  files: number;
}

export interface ProgramOptions extends Partial<ProgramSize> {
  version: string;
  seed?: number;
}

/** What the sample app does wrong when told so; see sample-app/server.js. */
export interface Behaviour {
  fail?: 'start' | 'unhealthy';
  unhealthy?: boolean;
  flap?: number;
  slow?: number;
  die_after?: number;
  /** It listens once this file is gone. */
  gate?: string;
}

export interface ProgramChange {
  changed: string[];
  added: string[];
  removed: string[];
}

/** Makes `dir` a program tree of this version. Size and count are those of the generated files. */
export function makeProgram(dir: string, options: ProgramOptions): void {
  const { version, sizeBytes, files, seed } = { ...DEMO_PROGRAM, seed: 1, ...options };
  const random = new Random(seed);
  const weights = Array.from({ length: files }, () => random.fraction() ** 3 + 0.02);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  weights.forEach((weight, at) => {
    writeGenerated(join(dir, generatedName(at)), Math.floor((weight / total) * sizeBytes), random);
  });
  addOddities(dir);
  for (const file of APP_FILES) copyFileSync(join(APP_DIR, file), join(dir, file));
  writeFileSync(join(dir, 'version.txt'), `${version}\n`);
  fixTimes(dir, EPOCH_SECONDS + seed);
}

/** Rewrites a share of the generated files, adds some and removes some (a hundredth each), and sets the version. */
export function changeProgram(
  dir: string,
  options: { fraction: number; version: string; seed?: number },
): ProgramChange {
  const random = new Random(options.seed ?? 2);
  const seconds = EPOCH_SECONDS + 86_400 + (options.seed ?? 2);
  const names = generatedFiles(dir);
  const few = Math.ceil(names.length / 100);
  const order = shuffle(names, random);
  const removed = order.slice(0, few);
  const changed = order.slice(few, few + Math.round(options.fraction * names.length));
  const added = Array.from({ length: few }, (_, at) => `${GENERATED}/new/${options.version}-${at}.txt`);

  for (const name of removed) rmSync(join(dir, name));
  for (const name of [...changed, ...added]) {
    writeGenerated(join(dir, name), 1024 + random.below(64 * 1024), random);
    lutimesSync(join(dir, name), seconds, seconds);
  }
  writeFileSync(join(dir, 'version.txt'), `${options.version}\n`);
  return { changed: [...changed, 'version.txt'], added, removed };
}

/** Makes the app that runs from this tree (or with this configuration) misbehave. */
export function setBehaviour(dir: string, behaviour: Behaviour): void {
  writeFileSync(join(dir, 'behaviour.json'), `${JSON.stringify(behaviour)}\n`);
}

/** A configuration tree for one instance. */
export function makeConfig(dir: string, instance: string, more: Behaviour & Record<string, unknown> = {}): void {
  mkdirSync(join(dir, 'conf.d'), { recursive: true });
  writeFileSync(join(dir, 'app.json'), `${JSON.stringify({ instance, ...more }, null, 2)}\n`);
  writeFileSync(join(dir, 'conf.d', 'limits.conf'), 'max_requests 1000\n');
}

/** What trees of real programs hold besides plain files. */
function addOddities(dir: string): void {
  mkdirSync(join(dir, 'bin'), { recursive: true });
  writeFileSync(join(dir, 'bin', 'report.sh'), '#!/bin/sh\ncat "$(dirname "$(readlink -f "$0")")/../version.txt"\n', {
    mode: 0o755,
  });
  mkdirSync(join(dir, 'var', 'empty'), { recursive: true });
  symlinkSync('bin/report.sh', join(dir, 'report'));
  mkdirSync(join(dir, 'docs'), { recursive: true });
  writeFileSync(join(dir, 'docs', '发布 说明 (第 1 版).txt'), '名字里有空格和汉字的文件\n');
}

/** Every second file is text; directories nest up to three deep. */
function generatedName(at: number): string {
  const folders = [`part-${at % 7}`, `group-${at % 5}`, `set-${at % 3}`].slice(0, at % 4);
  return [GENERATED, ...folders, `file-${at}.${at % 2 === 0 ? 'txt' : 'bin'}`].join('/');
}

function writeGenerated(file: string, size: number, random: Random): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, file.endsWith('.txt') ? random.text(size) : random.bytes(size));
}

function generatedFiles(dir: string): string[] {
  return readdirSync(join(dir, GENERATED), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}

function shuffle(items: readonly string[], random: Random): string[] {
  return items
    .map((item) => ({ item, at: random.uint32() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

function fixTimes(dir: string, seconds: number): void {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  // Deepest first: changing an entry changes the time of the folder above it.
  for (const entry of entries.reverse()) lutimesSync(join(entry.parentPath, entry.name), seconds, seconds);
  lutimesSync(dir, seconds, seconds);
}
