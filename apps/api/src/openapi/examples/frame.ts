import { answer } from '@rexdeploy/shared/api/answer';
import type { Leaves } from '@rexdeploy/shared/api/envelope-schema';

/** What surrounds the answers of the examples. */

export const TOKEN = '1772433470…wodb';
export const SETTINGS = { timezone: 'Asia/Shanghai', printStdout: 0, directory: '/srv/rexdeploy' } as const;

/** @param param what was asked with */
export const frame = (param: Record<string, string> = {}) => ({
  param: { ...param, token: TOKEN },
  settings: SETTINGS,
  takeMs: 12,
});

/** A good answer of a route that is no deployment. */
export const answered = (
  data: { data: Leaves; msg: string; [further: string]: Leaves },
  param: Record<string, string> = {},
) => answer(frame(param), data);
