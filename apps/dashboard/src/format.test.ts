import { expect, test } from 'vitest';
import { age, bytes, duration, releaseName } from './format.js';
import { makeText } from './i18n/text.js';
import { hrefOf, parsePlace } from './router.js';

const t = makeText('en');

test.for([
  [40, '40 ms'],
  [1_234, '1.2 s'],
  [59_900, '59 s'],
  [245_000, '4 min 5 s'],
  [7_800_000, '2 h 10 min'],
] as const)('a duration of %i ms is %s', ([ms, text]) => expect(duration(ms, t)).toBe(text));

test.for([
  [3_000, '3 s'],
  [42_000, '42 s'],
  [300_000, '5 min'],
  [259_200_000, '3 d 0 h'],
  [3_000_000_000, '34 d'],
] as const)('an age of %i ms is %s', ([ms, text]) => expect(age(ms, t)).toBe(text));

test.for([
  [512, '512 B'],
  [1_572_864, '1.5 MiB'],
  [157_286_400, '150 MiB'],
] as const)('%i bytes are %s', ([count, text]) => expect(bytes(count)).toBe(text));

test('a release is called by its stamp, and a directory that is none by its name', () => {
  expect(releaseName('/data/www/html1_20180530_043756')).toBe('20180530_043756');
  expect(releaseName('/data/www/html1_20180530_043756_before')).toBe('20180530_043756_before');
  expect(releaseName('/data/www/html1')).toBe('html1');
});

test('an address leads back to what it was made of', () => {
  const { path, query } = parsePlace(hrefOf(['jobs', 'a/b c'], { k: 'x&y', empty: '' }));
  expect([path, [...query]]).toEqual([['jobs', 'a/b c'], [['k', 'x&y']]]);
  expect(parsePlace('#/jobs/%zz').path).toEqual(['jobs', '%zz']);
});
