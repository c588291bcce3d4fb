import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import { NotifyError } from '@rexdeploy/shared/errors/notify-error';
import { z } from 'zod';
import { conceal, placeOf } from './conceal.js';

/** WeCom and DingTalk say `errcode`, Feishu `code` or, formerly, `StatusCode`. */
const answerSchema = z.looseObject({
  errcode: z.number().optional(),
  code: z.number().optional(),
  StatusCode: z.number().optional(),
  errmsg: z.string().optional(),
  msg: z.string().optional(),
});

/** Their words for "too often" and "busy"; with any other code the next attempt would be refused as well. */
const AGAIN: ReadonlySet<number> = new Set([
  -1, // WeCom and DingTalk: busy
  45009, // WeCom: too often
  130101, // DingTalk: too often
  410100, // DingTalk: too often
  9499, // Feishu: too often
  11232, // Feishu: too often
]);

/**
 * Robots answer 200 and tell in the body whether they took it.
 * @throws NotifyError when they did not
 */
export function checkRobotAnswer(notifier: ResolvedNotifier, text: string): void {
  const parsed = answerSchema.safeParse(parse(text));
  const code = parsed.data?.errcode ?? parsed.data?.code ?? parsed.data?.StatusCode;
  if (code === 0) return;
  const where = placeOf(notifier);
  if (code === undefined) {
    throw new NotifyError({ where, what: 'the answer is not one of such a robot', retryable: true });
  }
  const words = conceal(parsed.data?.errmsg ?? parsed.data?.msg ?? '', notifier).slice(0, 200);
  throw new NotifyError({
    where,
    what: `refused with code ${code}${words === '' ? '' : `: ${words}`}`,
    whatToDo: 'see the documentation of that robot; check its address, secret and key words',
    retryable: AGAIN.has(code),
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
