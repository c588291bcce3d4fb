import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ConfigIssue } from '../errors/config-error.js';
import { type NoticeType, noticeTypeSchema } from '../journal/notice-type.js';
import { durationMs, identifier, nonEmpty } from './primitives.js';

export { type NoticeType, noticeTypeSchema } from '../journal/notice-type.js';

const MAX_TIMEOUT_MS = 60_000;
const MIN_RETRY_MS = 100;

const common = {
  /** For journals and metrics; absent: the type and a digest of the address. */
  name: identifier.optional(),
  /** Of the receiver; a secret itself where it holds a key. */
  url: z.string().regex(/^https?:\/\/\S+$/, 'an http or https address'),
  events: z.array(noticeTypeSchema).default([...noticeTypeSchema.options]),
  lang: z.enum(['zh', 'en']).default('zh'),
  /** Longest wait for an answer. */
  timeout: durationMs.default(5_000),
  /** Pause before the second attempt; each further one is twice as long. */
  retry: durationMs.default(30_000),
};
/** What the receiver tells by that a message is ours. */
const secret = nonEmpty.optional();

const one = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('webhook'), ...common, secret }),
  z.strictObject({ type: z.literal('wecom'), ...common }),
  z.strictObject({ type: z.literal('dingtalk'), ...common, secret }),
  z.strictObject({ type: z.literal('feishu'), ...common, secret }),
  z.strictObject({ type: z.literal('slack'), ...common }),
]);
type NotifierSection = z.infer<typeof one>;

/** Who is told what; on the list, because a refined duration is another schema than the one that defaults are told by. */
export const notifySchema = z.array(one).superRefine((all, context) => {
  for (const [at, { timeout, retry }] of all.entries()) {
    const issue = (key: string, message: string) => context.addIssue({ code: 'custom', path: [at, key], message });
    if (timeout < 1 || timeout > MAX_TIMEOUT_MS) issue('timeout', `from 1ms to ${MAX_TIMEOUT_MS / 1000}s`);
    if (retry < MIN_RETRY_MS) issue('retry', `at least ${MIN_RETRY_MS}ms`);
  }
});

/** Somebody who is told. */
export interface ResolvedNotifier {
  type: NotifierSection['type'];
  name: string;
  url: string;
  secret?: string | undefined;
  events: readonly NoticeType[];
  lang: 'zh' | 'en';
  timeoutMs: number;
  retryMs: number;
}

/** Settles the names: tickets and journals call a notifier by its name, which must not depend on its place in the list. */
export function resolveNotifiers(sections: readonly NotifierSection[]): {
  notify: ResolvedNotifier[];
  issues: ConfigIssue[];
} {
  const issues: ConfigIssue[] = [];
  const names = new Set<string>();
  const notify = sections.map((section, at): ResolvedNotifier => {
    const { type, url, events, lang, timeout: timeoutMs, retry: retryMs } = section;
    const name = section.name ?? `${type}-${createHash('sha256').update(url).digest('hex').slice(0, 8)}`;
    if (names.has(name)) {
      const expected = 'a `name` of its own, or another address';
      issues.push({ path: `notify.${at}`, found: `a second notifier called ${name}`, expected });
    }
    names.add(name);
    return {
      type,
      name,
      url,
      secret: 'secret' in section ? section.secret : undefined,
      events,
      lang,
      timeoutMs,
      retryMs,
    };
  });
  return { notify, issues };
}
