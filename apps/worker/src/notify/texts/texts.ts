import type { Notice } from '../notice.js';
import { en } from './en.js';
import { zh } from './zh.js';

/** The words of one language. */
export interface Texts {
  /** Also the key that receivers filter by: the same for every deployment, with the stage in brackets. */
  subject(notice: Notice): string;
  /** One sentence, and where there is more to know, one line for each further thing. */
  lines(notice: Notice, timezone: string): string[];
}

export const texts: Readonly<Record<'zh' | 'en', Texts>> = { zh, en };

/** What people read: subject, then the sentence with the environment before it, then the rest. */
export interface Message {
  subject: string;
  text: string;
}

export function messageOf(notice: Notice, lang: 'zh' | 'en', timezone: string): Message {
  const { key, desc } = notice.environment;
  const [first = '', ...rest] = texts[lang].lines(notice, timezone);
  return {
    subject: texts[lang].subject(notice),
    text: [`(${desc === '' ? key : desc}) ${first}`, ...rest].join('\n'),
  };
}
