/** What a fresh clone needs before anything runs: a recent Node, the dependencies, the build. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './run-child.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** A build from the cache is done before anybody wonders. */
const SAY_BUILDING_AFTER_MS = 2000;

export function say(text) {
  process.stderr.write(`rexdeploy: ${text}\n`);
}

export function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const wanted = engines.node.replace(/[^\d.]/g, '');
  if (isOlder(process.versions.node, wanted)) {
    throw new Error(`needs Node.js ${wanted} or newer, this is ${process.versions.node} (${process.execPath})`);
  }
}

function isOlder(version, wanted) {
  const [have, want] = [version, wanted].map((text) => text.split('.').map(Number));
  for (const [at, number] of want.entries()) {
    if ((have[at] ?? 0) !== number) return (have[at] ?? 0) < number;
  }
  return false;
}

/** `npm ci` when nothing is installed yet, or when the lock file changed since. */
export async function installDependencies() {
  if (isInstalled()) return;
  say('installing dependencies (npm ci)');
  // Started by npm, we use that same npm; the one on PATH may be another.
  const { npm_execpath: own } = process.env;
  const [command, ...words] = own?.endsWith('npm-cli.js') ? [process.execPath, own] : ['npm'];
  const args = [...words, 'ci', '--include=dev', '--loglevel=warn'];
  const code = await runChild(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}`);
}

function isInstalled() {
  // npm writes this file last.
  const mark = join(ROOT, 'node_modules/.package-lock.json');
  return existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

/** Builds what changed; shows the build's output only when it failed. */
export async function build() {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', FORCE_COLOR: '0' };
  const turbo = join(ROOT, 'node_modules/.bin/turbo');
  const timer = setTimeout(() => say('building'), SAY_BUILDING_AFTER_MS);
  const { code, output } = await collect(turbo, ['run', 'build', '--output-logs=errors-only'], env);
  clearTimeout(timer);
  if (code === 0) return;
  process.stderr.write(output);
  throw new Error('the build failed');
}

function collect(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (piece) => {
        output += piece;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
