import { expect, test } from 'vitest';
import { Tail } from './tail.js';

test('keeps the last bytes of many chunks', () => {
  const tail = new Tail(4);
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') tail.push(Buffer.from(letter));
  expect(tail.text()).toBe('wxyz');
});

test('keeps everything below its limit, and gives a shorter end on request', () => {
  const tail = new Tail(100);
  tail.push(Buffer.from('hello '));
  tail.push(Buffer.from('world'));
  expect(tail.text()).toBe('hello world');
  expect(tail.text(5)).toBe('world');
});

test('does not start with half a character', () => {
  const tail = new Tail(4);
  tail.push(Buffer.from('aé漢'));
  expect(tail.text()).toBe('漢');
  expect(new Tail(4).text()).toBe('');
});
