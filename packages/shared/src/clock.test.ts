import { expect, test } from 'vitest';
import { localTime, releaseStamp } from './clock.js';

const AT = Date.parse('2018-05-29T20:37:56.999Z');

test('times are those of the configured zone, in the documented formats', () => {
  expect(localTime(AT, 'Asia/Shanghai')).toBe('2018-05-30 04:37:56');
  expect(releaseStamp(AT, 'Asia/Shanghai')).toBe('20180530_043756');
  expect(localTime(AT, 'UTC')).toBe('2018-05-29 20:37:56');
});

test('midnight is 00, not 24', () => {
  expect(localTime(Date.parse('2018-05-30T00:00:01Z'), 'UTC')).toBe('2018-05-30 00:00:01');
});
