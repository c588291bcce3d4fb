import { expect, test } from 'vitest';
import { FrozenError } from '../errors/request-errors.js';
import { type FreezeWindow, freezesSchema, refuseFrozen } from './freeze.js';

const HOUR = 3_600_000;
const FRIDAY: FreezeWindow = { cron: '0 18 * * 5', durationMs: 62 * HOUR, reason: 'weekend' };
const SALES: FreezeWindow = { cron: '0 0 11 11 *', durationMs: 24 * HOUR, reason: '11.11' };
const NIGHTS: FreezeWindow = { cron: '0 22 * * *', durationMs: 8 * HOUR, reason: 'night' };

function refusal(at: string, own: FreezeWindow[], all: FreezeWindow[] = [], timezone = 'Asia/Shanghai') {
  try {
    refuseFrozen({ freeze: all, timezone }, { k: 'server', freeze: own }, Date.parse(at));
    return undefined;
  } catch (error) {
    if (error instanceof FrozenError) return error.what;
    throw error;
  }
}

test.for([
  // Friday, 27 November 2026, 18:00 in Shanghai is 10:00 UTC.
  ['2026-11-27T09:59:59.999Z', undefined],
  ['2026-11-27T10:00:00.000Z', 'weekend'],
  ['2026-11-27T10:00:00.500Z', 'weekend'],
  ['2026-11-29T23:59:59.999Z', 'weekend'],
  ['2026-11-30T00:00:00.000Z', undefined],
] as const)('at %s the name is frozen: %s', ([at, reason]) => {
  const end = 'until 2026-11-30 08:00:00 Asia/Shanghai (2026-11-30T00:00:00.000Z)';
  expect(refusal(at, [FRIDAY])).toBe(reason && `(server)--is frozen: ${reason}; ${end}`);
});

test('windows of the name and of the whole file both count, and those that meet end together', () => {
  expect(refusal('2026-11-11T02:00:00Z', [FRIDAY], [SALES])).toContain('11.11; until 2026-11-12 00:00:00');
  expect(refusal('2026-11-28T16:00:00Z', [FRIDAY], [NIGHTS])).toContain('night, weekend; until 2026-11-30 08:00:00');
  expect(refusal('2026-11-11T02:00:00Z', [], [SALES, { ...NIGHTS, cron: '30 23 * * *' }])).toContain(
    '11.11; until 2026-11-12 07:30:00',
  );
});

test('a window without an end is told as such', () => {
  const always = { cron: '* * * * *', durationMs: 60_000, reason: 'closed' };
  expect(refusal('2026-11-11T02:00:00Z', [always])).toBe(
    '(server)--is frozen: closed; its freeze windows follow each other without a gap',
  );
});

test('times are those of the configured zone, also when its clocks change', () => {
  const night = { cron: '0 1 * * *', durationMs: 3 * HOUR, reason: 'night' };
  // On 29 March 2026 Berlin has no time between 2:00 and 3:00.
  expect(refusal('2026-03-29T02:30:00Z', [night], [], 'Europe/Berlin')).toContain('until 2026-03-29 05:00:00');
  expect(refusal('2026-03-29T03:00:00Z', [night], [], 'Europe/Berlin')).toBeUndefined();
});

test.for(['', '0 18 * *', '0 18 * * 5 2026', '@daily', 'H 18 * * *', '61 * * * *', '0 0 31 2 *', 'soon'])(
  'the schedule "%s" is refused',
  (cron) => {
    const checked = freezesSchema.safeParse([{ cron, duration: '1h', reason: 'x' }]);
    expect(checked.error?.issues[0]?.path).toEqual([0, 'cron']);
  },
);

test('a window has a duration and a reason', () => {
  const wrong = [{ cron: '0 18 * * 5', duration: '0s', reason: 'x' }];
  expect(freezesSchema.safeParse(wrong).error?.issues[0]?.path).toEqual([0, 'duration']);
  expect(freezesSchema.safeParse([{ cron: '0 18 * * FRI', duration: '1h' }]).error?.issues[0]?.path).toEqual([
    0,
    'reason',
  ]);
});
