import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import { cutBytes } from './cut.js';
import type { Notifier } from './notifier.js';
import { post } from './post.js';
import { checkRobotAnswer } from './robot-answer.js';
import { signDingtalk } from './sign.js';

/** The robot takes 20000 bytes of body at most. */
const MAX_BYTES = 15_000;

/** A robot of a DingTalk group; signed where there is a secret. */
export const dingtalk = (notifier: ResolvedNotifier): Notifier => ({
  send: async ({ message: { subject, text } }, signal) => {
    const content = cutBytes(`${subject}\n${text}`, MAX_BYTES);
    const body = JSON.stringify({ msgtype: 'text', text: { content } });
    checkRobotAnswer(notifier, await post(notifier, { url: signed(notifier, Date.now()), body }, signal));
  },
});

function signed({ url, secret }: ResolvedNotifier, ms: number): string {
  if (secret === undefined) return url;
  const address = new URL(url);
  address.searchParams.set('timestamp', String(ms));
  address.searchParams.set('sign', signDingtalk(secret, ms));
  return address.href;
}
