import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoOfTwo } from './memo.js';
import { Recent } from './recent.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('what was used lately', () => {
  test('is kept for its time, which each use begins anew', () => {
    const recent = new Recent<object>(1000, 10);
    const value = {};
    recent.set('a', value, 1);
    vi.advanceTimersByTime(900);
    expect(recent.get('a')).toBe(value);
    vi.advanceTimersByTime(900);
    expect(recent.get('a')).toBe(value);
    vi.advanceTimersByTime(1000);
    expect(recent.get('a')).toBeUndefined();
  });

  test('makes way for what came later, the longest unused first; too heavy a thing takes nobody’s place', () => {
    const recent = new Recent<object>(1000, 10);
    for (const key of ['a', 'b', 'c']) recent.set(key, {}, 3);
    recent.get('a');
    recent.set('d', {}, 4);
    expect(['a', 'b', 'c', 'd'].filter((key) => recent.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
    recent.set('e', {}, 11);
    expect(['a', 'c', 'd', 'e'].filter((key) => recent.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
    recent.set('a', {}, 3);
    expect(['a', 'c', 'd'].filter((key) => recent.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
  });
});

test('what two things come to is found once', () => {
  const make = vi.fn((a: { n: number }, b: { n: number }) => ({ n: a.n + b.n }));
  const sum = memoOfTwo(make);
  const [one, two] = [{ n: 1 }, { n: 2 }];
  expect(sum(one, two)).toBe(sum(one, two));
  expect(sum(two, one)).toEqual({ n: 3 });
  expect(make).toHaveBeenCalledTimes(2);
});
