import { createHmac } from 'node:crypto';

/** The ways in which receivers know that a message is ours; each as its vendor documents it. */

/** Webhook: hex HMAC-SHA256 of `<unix seconds>.<body>`. */
export const signWebhook = (secret: string, seconds: number, body: string): string =>
  `sha256=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

/** DingTalk: base64 HMAC-SHA256 of `<milliseconds>\n<secret>` with the secret as its key. */
export const signDingtalk = (secret: string, ms: number): string =>
  createHmac('sha256', secret).update(`${ms}\n${secret}`).digest('base64');

/** Feishu: base64 HMAC-SHA256 of nothing, with `<unix seconds>\n<secret>` as the key. */
export const signFeishu = (secret: string, seconds: number): string =>
  createHmac('sha256', `${seconds}\n${secret}`).update('').digest('base64');
