import { expect, test } from 'vitest';
import { Lines } from './lines.js';

function collect(chunks: (string | Buffer)[], max = 1000): string[] {
  const got: string[] = [];
  const lines = new Lines((line) => got.push(line), max);
  for (const chunk of chunks) lines.push(Buffer.from(chunk));
  lines.end();
  return got;
}

test.each([
  [['a\nb\n'], ['a', 'b']],
  [
    ['a', 'b\nc', '\n'],
    ['ab', 'c'],
  ],
  [['a\n\n'], ['a', '']],
  [['a\nrest'], ['a', 'rest']],
  [[], []],
])('%j gives the lines %j', (chunks, expected) => {
  expect(collect(chunks)).toEqual(expected);
});

test('a character cut between two chunks stays whole', () => {
  const bytes = Buffer.from('é\n');
  expect(collect([bytes.subarray(0, 1), bytes.subarray(1)])).toEqual(['é']);
});

test('a line without an end is refused before memory runs out', () => {
  expect(() => collect(['x'.repeat(11)], 10)).toThrow(/longer than 10/);
});
