import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import { cutBytes } from './cut.js';
import type { Notifier } from './notifier.js';
import { post } from './post.js';
import { checkRobotAnswer } from './robot-answer.js';
import { signFeishu } from './sign.js';

/** The robot takes 20 KiB of body at most. */
const MAX_BYTES = 15_000;

/** A robot of a Feishu group; signed where there is a secret. */
export const feishu = (notifier: ResolvedNotifier): Notifier => ({
  send: async ({ message: { subject, text } }, signal) => {
    const { secret } = notifier;
    const seconds = Math.floor(Date.now() / 1000);
    const body = JSON.stringify({
      ...(secret === undefined ? {} : { timestamp: String(seconds), sign: signFeishu(secret, seconds) }),
      msg_type: 'text',
      content: { text: cutBytes(`${subject}\n${text}`, MAX_BYTES) },
    });
    checkRobotAnswer(notifier, await post(notifier, { url: notifier.url, body }, signal));
  },
});
