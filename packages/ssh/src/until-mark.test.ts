import { expect, test } from 'vitest';
import { UntilMark } from './until-mark.js';

const MARK = 'a1b2';
const ALL = `one\ntwo \x1e not it\n\x1ea1b2 17\n`;

function read(pieces: readonly string[]): { text: string; end: string | undefined } {
  let text = '';
  const until = new UntilMark(MARK, (piece) => {
    text += piece.toString();
  });
  let end: string | undefined;
  for (const piece of pieces) end = until.push(Buffer.from(piece)) ?? end;
  return { text, end };
}

test('gives what comes before the mark, and what its line holds', () => {
  expect(read([ALL])).toEqual({ text: 'one\ntwo \x1e not it\n', end: ' 17' });
});

test('whatever pieces it comes in', () => {
  for (let cut = 1; cut < ALL.length; cut += 1) {
    expect(read([ALL.slice(0, cut), ALL.slice(cut)])).toEqual({ text: 'one\ntwo \x1e not it\n', end: ' 17' });
  }
  expect(read([...ALL])).toEqual({ text: 'one\ntwo \x1e not it\n', end: ' 17' });
});

test('a last line without an end is not lost, and another mark is text', () => {
  expect(read(['no end', '\x1ea1b2 0\n'])).toEqual({ text: 'no end', end: ' 0' });
  expect(read(['\x1eb1b2 0\n'])).toEqual({ text: '\x1eb1b2 0\n', end: undefined });
});
