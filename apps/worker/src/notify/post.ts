import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import { NotifyError } from '@rexdeploy/shared/errors/notify-error';
import { request } from 'undici';
import { readBody } from '../http/read-body.js';
import { conceal, placeOf } from './conceal.js';

/** An answer is read up to here. */
const MAX_BODY_BYTES = 64 * 1024;
/** So much of it is told. */
const SHOWN_CHARS = 200;
/** Refusals that may be over a moment later; whoever refuses otherwise refuses again. */
const AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

export interface Post {
  url: string;
  body: string;
  headers?: Record<string, string>;
}

/**
 * Posts JSON to a receiver. Redirects are not followed: they would take what is signed elsewhere.
 * @returns the body of a 2xx answer
 * @throws NotifyError; retryable when there was no answer or one that may change
 */
export async function post(
  notifier: ResolvedNotifier,
  { url, body, headers }: Post,
  signal: AbortSignal,
): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(notifier.timeoutMs)]);
  const fail = (what: string, retryable: boolean, whatToDo?: string): NotifyError =>
    new NotifyError({ where: placeOf(notifier), what, whatToDo, retryable });
  let answer: { status: number; text: string };
  try {
    answer = await exchange({ url, body, headers: headers ?? {} }, limit);
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw fail(`no answer within ${notifier.timeoutMs} ms`, true);
    // Not the client's own words: they may repeat the address.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    throw fail(`the request failed: ${code}`, true);
  }
  const { status, text } = answer;
  if (status >= 200 && status < 300) return text;
  const shown = conceal(text, notifier).slice(0, SHOWN_CHARS);
  const retryable = status >= 500 || AGAIN.has(status);
  throw fail(
    `status ${status}${shown === '' ? '' : `: ${shown}`}`,
    retryable,
    status >= 300 && status < 400 ? 'give the final address: redirects are not followed' : undefined,
  );
}

async function exchange({ url, body, headers }: Required<Post>, signal: AbortSignal) {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'rexdeploy', ...headers },
    body,
    signal,
    reset: true,
  });
  return { status: answer.statusCode, text: await readBody(answer.body, MAX_BODY_BYTES) };
}
