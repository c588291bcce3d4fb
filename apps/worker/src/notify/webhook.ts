import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import type { Notifier } from './notifier.js';
import { post } from './post.js';
import { signWebhook } from './sign.js';

/** JSON for programs; signed where there is a secret. */
export const webhook = (notifier: ResolvedNotifier): Notifier => ({
  send: async ({ id, notice, message: { subject, text } }, signal) => {
    const body = JSON.stringify({ ...notice, subject, msg: text });
    const seconds = Math.floor(Date.now() / 1000);
    const headers = {
      'x-rexdeploy-event': notice.type,
      'x-rexdeploy-delivery': id,
      'x-rexdeploy-timestamp': String(seconds),
      ...(notifier.secret === undefined
        ? {}
        : { 'x-rexdeploy-signature': signWebhook(notifier.secret, seconds, body) }),
    };
    await post(notifier, { url: notifier.url, body, headers }, signal);
  },
});
