import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import type { Notifier } from './notifier.js';
import { post } from './post.js';

/** Characters that a header and a section take at most. */
const MAX_HEADER = 150;
const MAX_SECTION = 3000;

/** An incoming webhook of Slack. Text stays text: nothing in it is formatted or becomes a mention. */
export const slack = (notifier: ResolvedNotifier): Notifier => ({
  send: async ({ message: { subject, text } }, signal) => {
    const body = JSON.stringify({
      text: escaped(`${subject} ${text}`).slice(0, MAX_SECTION),
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: subject.slice(0, MAX_HEADER) } },
        { type: 'section', text: { type: 'plain_text', text: text.slice(0, MAX_SECTION), emoji: false } },
      ],
    });
    // Slack says by its status whether it took it.
    await post(notifier, { url: notifier.url, body }, signal);
  },
});

/** The three characters that Slack gives a meaning in any text. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
