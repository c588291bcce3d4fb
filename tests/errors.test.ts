import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** docs/errors.md and the error classes, kept equal in both directions. */

const root = new URL('../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

interface Known {
  code: string;
  error: string;
  status?: string;
}

const directory = 'packages/shared/src/errors';
const sources = readdirSync(new URL(directory, root))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => read(`${directory}/${name}`));
const inCode = [...sources, read('apps/cli/src/errors.ts')].flatMap(classesOf);
const inDocs = read('docs/errors.md').split('\n').flatMap(rowOf);
const sorted = (all: Known[]): Known[] => all.toSorted((a, b) => a.code.localeCompare(b.code));

test('every error of the code is explained, and no other', () => {
  expect(inCode.length).toBeGreaterThan(25);
  expect(sorted(inDocs)).toEqual(sorted(inCode));
});

test('no two errors share a code', () => {
  const codes = inCode.map((known) => known.code);
  expect(codes).toEqual([...new Set(codes)]);
});

/** The classes of one source file that have a code, and the status of those that are answers to requests. */
function classesOf(source: string): Known[] {
  return source.split(/^export class /m).flatMap((text) => {
    const error = /^\w+/.exec(text)?.[0];
    const code = /readonly code(?:: string)? = '(\w+)'/.exec(text)?.[1];
    const status = /readonly status(?:: number)? = (\d+)/.exec(text)?.[1];
    return error === undefined || code === undefined ? [] : [{ code, error, ...(status && { status }) }];
  });
}

function rowOf(line: string): Known[] {
  const [, code, error, third] = /^\| `(\w+)` +\| (\w+) +\| ([^|]+?) +\|/.exec(line) ?? [];
  if (code === undefined || error === undefined) return [];
  return [{ code, error, ...(/^\d{3}$/.test(third ?? '') && { status: third }) }];
}
