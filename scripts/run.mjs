/**
 * `node scripts/run.mjs <task> [arguments]`: makes a fresh clone ready, then does the task. Everything the set-up has
 * to say goes to stderr; stdout belongs to the task.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './run-child.mjs';
import { build, checkNode, installDependencies, ROOT } from './setup.mjs';
import { ensureSystemParts } from './system-parts.mjs';
import { runTests } from './test.mjs';
import { WORKER_FLAGS } from './worker-flags.mjs';

const SANDBOX = ['redis-server', 'sshd', 'nginx', 'pgrep'];

/** Per task: the system parts it needs, and what it runs. */
const TASKS = {
  demo: { parts: SANDBOX, run: (args) => node('packages/sandbox/dist/demo/main.js', args) },
  test: {
    parts: [...SANDBOX, 'haproxy', 'sudo', 'unzip', 'nc', 'script', 'rsync', 'curl', 'perl', 'chromium'],
    run: runTests,
  },
  start: { parts: [], run: (args) => node('scripts/start.mjs', args) },
  api: { parts: [], run: (args) => node('apps/api/dist/bundle/main.js', args) },
  worker: { parts: [], run: (args) => node('apps/worker/dist/bundle/main.js', args, WORKER_FLAGS) },
  bench: { parts: [...SANDBOX, 'rsync', 'curl', 'perl'], run: (args) => node('bench/run.mjs', args) },
};

function node(file, args, flags = []) {
  const path = join(ROOT, file);
  if (!existsSync(path)) throw new Error(`${file} is missing from this checkout`);
  return runChild(process.execPath, [...flags, path, ...args]);
}

async function main([name = '', ...args]) {
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (task === undefined) throw new Error(`usage: node scripts/run.mjs ${Object.keys(TASKS).join('|')} [arguments]`);
  checkNode();
  await installDependencies();
  await ensureSystemParts(task.parts);
  await build();
  return task.run(args);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`rexdeploy: ${error.message}\n`);
    process.exitCode = 1;
  },
);
