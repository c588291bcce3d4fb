/**
 * `node bench/run.mjs [name…] [--quick] [--json FILE] [--write-docs] [options of the bench]`: the benchmarks. Tables go to
 * stdout and, with `--write-docs`, into docs/performance.md; what happens meanwhile to stderr; all figures with the facts of
 * the machine to bench/results/ or FILE. The exit code tells
 * whether they ran and everything they did was right; being slow is no failure.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSection } from './lib/docs.mjs';
import { describeMachine, machineFacts } from './lib/machine.mjs';
import { parseOptions } from './lib/options.mjs';
import { baseFolder } from './lib/work-folder.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BENCHES = {
  rollout: './rollout/rollout.mjs',
  transfer: './transfer/transfer.mjs',
  memory: './memory/memory.mjs',
  scale: './scale/scale.mjs',
  'control-plane': './control-plane/control-plane.mjs',
};
const COMMON = { quick: 'switch', json: 'text', 'write-docs': 'switch' };

const say = (text) => process.stderr.write(`${text}\n`);

async function main(words) {
  const first = words.findIndex((word) => word.startsWith('--'));
  const names = words.slice(0, first < 0 ? words.length : first);
  const wrong = names.find((name) => !Object.hasOwn(BENCHES, name));
  if (wrong !== undefined) throw new Error(`there is no bench ${wrong}; there are ${Object.keys(BENCHES).join(', ')}`);
  const chosen = names.length > 0 ? names : Object.keys(BENCHES);
  const modules = new Map();
  for (const name of chosen) modules.set(name, await import(BENCHES[name]));
  const known = Object.assign({}, COMMON, ...[...modules.values()].map(({ options }) => options));
  const given = parseOptions(first < 0 ? [] : words.slice(first), known);

  const machine = await machineFacts(baseFolder());
  process.stdout.write(`${describeMachine(machine)}\n`);
  const all = {};
  let failed = false;
  for (const [name, bench] of modules) {
    try {
      all[name] = await runOne(name, bench, given, machine);
    } catch (error) {
      failed = true;
      all[name] = { failed: String(error) };
      process.stderr.write(`bench: ${name}: ${error.stack ?? error}\n`);
    }
  }
  write(given.json ?? join(HERE, 'results', `${chosen.join('+')}-${machine.at.replaceAll(':', '')}.json`), {
    machine,
    given,
    ...all,
  });
  return failed ? 1 : 0;
}

async function runOne(name, { run }, given, machine) {
  say(`== ${name}`);
  const began = Date.now();
  const { text, section = name, ...figures } = await run(given, { quick: given.quick === true, say });
  const seconds = (Date.now() - began) / 1000;
  process.stdout.write(`\n## ${name}\n\n${text}\n`);
  say(`${name} took ${seconds.toFixed(0)} s`);
  if (given['write-docs'] === true)
    writeSection(section, `${machine.at.slice(0, 10)}, ${describeMachine(machine)}:\n\n${text}`);
  return { seconds, text, ...figures };
}

function write(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
  say(`figures: ${file}`);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`bench: ${error.stack ?? error}\n`);
    process.exit(1);
  },
);
