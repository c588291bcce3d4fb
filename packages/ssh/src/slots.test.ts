import { expect, test } from 'vitest';
import { Slots } from './slots.js';

test('no more than so many at a time, in the order of asking', async () => {
  const slots = new Slots(2);
  const began: number[] = [];
  const takings = [1, 2, 3, 4].map(async (number) => {
    const release = await slots.take();
    began.push(number);
    return release;
  });
  const [one] = takings;
  const release = await one;
  await takings[1];
  expect(began).toEqual([1, 2]);
  release?.();
  // Given back twice is given back once.
  release?.();
  await takings[2];
  expect(began).toEqual([1, 2, 3]);
});
