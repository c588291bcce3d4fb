import { expect, test } from 'vitest';
import { transferSchema } from './name.js';

test('a transfer is packed where the line asks for it, unless the configuration says otherwise', () => {
  expect(transferSchema.parse({})).toEqual({ reuse: 'copy', parallel: 4, compression: 'auto' });
  for (const compression of ['auto', 'none', 'gzip']) {
    expect(transferSchema.parse({ compression }).compression).toBe(compression);
  }
  expect(transferSchema.safeParse({ compression: 'zstd' }).success).toBe(false);
});
