import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What the dashboard takes from the shared package runs in a browser: nothing of Node is behind it, however deep. */

const dist = new URL('../packages/shared/dist/', import.meta.url);

/** What pages may import; all that these import comes along. */
const entries = [
  'api/client.js',
  'api/routes.js',
  'api/actions.js',
  'api/parse-answer.js',
  'api/envelope-schema.js',
  'api/routes/job-events.js',
  'config/primitives.js',
  'errors/client-errors.js',
  'errors/request-errors.js',
  'errors/messages.js',
  'journal/envelope.js',
  'journal/events.js',
  'journal/reduce.js',
  'journal/state.js',
  'journal/command-line.js',
  'clock.js',
  'mask.js',
  'units.js',
];
/** Libraries that are written for browsers too. */
const libraries = new Set(['zod']);
/** Globals that only Node has. */
const OF_NODE = /\b(?:process|Buffer|__dirname|__filename|require|setImmediate)\b(?=\s*[.([])/;

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;
const code = (file: string): string =>
  readFileSync(new URL(file, dist), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

test.for(entries)('%s runs in a browser', (entry) => {
  const foreign: string[] = [];
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = code(file);
    if (OF_NODE.test(text)) foreign.push(`${file}: ${OF_NODE.exec(text)?.[0]}`);
    for (const [, name = ''] of text.matchAll(IMPORT)) {
      if (name.startsWith('.')) visit(new URL(name, new URL(file, dist)).href.slice(dist.href.length));
      else if (!libraries.has(name)) foreign.push(`${file}: ${name}`);
    }
  };
  visit(entry);
  expect(foreign).toEqual([]);
});

test('what needs Node is found to need it', () => {
  expect([...code('tokens.js').matchAll(IMPORT)].map(([, name]) => name)).toContain('node:crypto');
});
