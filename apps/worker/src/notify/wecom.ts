import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import { cutBytes } from './cut.js';
import type { Notifier } from './notifier.js';
import { post } from './post.js';
import { checkRobotAnswer } from './robot-answer.js';

/** What the robot takes at most. */
const MAX_BYTES = 2048;

/** A robot of a WeCom group. Plain text: it looks the same in every client, and nothing in it can be a link by accident. */
export const wecom = (notifier: ResolvedNotifier): Notifier => ({
  send: async ({ message: { subject, text } }, signal) => {
    const content = cutBytes(`${subject}\n${text}`, MAX_BYTES);
    const body = JSON.stringify({ msgtype: 'text', text: { content } });
    checkRobotAnswer(notifier, await post(notifier, { url: notifier.url, body }, signal));
  },
});
