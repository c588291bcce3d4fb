import { expect, test } from 'vitest';
import { en } from './en.js';
import { zh } from './zh.js';

const blanks = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

test('both languages have the same texts, with the same blanks, and none is empty', () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en));
  for (const [key, text] of Object.entries(en)) {
    const translated = zh[key as keyof typeof en];
    expect([key, blanks(translated)]).toEqual([key, blanks(text)]);
    expect([key, text.trim() !== '' && translated.trim() !== '']).toEqual([key, true]);
  }
});
