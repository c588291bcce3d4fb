import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { request as send } from 'undici';
import { readBody } from '../../http/read-body.js';
import { shownAnswer, shownRequest } from './conceal.js';
import type { HttpRequest } from './template.js';

/** An answer is read up to here. */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Sends a request. Redirections are not followed: they would take the headers elsewhere.
 * @param known words that may be shown although they were sent
 * @returns the body of the answer
 * @throws BalancerError for a status other than 2xx; ConnectionError when there was no answer
 */
export async function sendRequest(
  request: HttpRequest,
  known: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  const { status, text } = await exchange(request, timeoutMs, signal);
  if (status >= 200 && status < 300) return text;
  const shown = shownAnswer(text, request, known);
  throw new BalancerError({
    where: shownRequest(request),
    what: `status ${status}${shown === '' ? '' : `: ${shown}`}`,
    whatToDo: 'compare the request with the documentation of that interface',
  });
}

async function exchange(
  { method, url, headers, body }: HttpRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const options = { method, headers, signal: limit, reset: true, ...(body === undefined ? {} : { body }) };
    const answer = await send(url, options);
    return { status: answer.statusCode, text: await readBody(answer.body, MAX_BODY_BYTES) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Not the client's own words: they may repeat a header it refuses.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    const what = limit.aborted ? `no answer in ${timeoutMs} ms` : `the request failed: ${code}`;
    const host = URL.canParse(url) ? new URL(url).host : 'the balancer';
    throw new ConnectionError({ host, where: shownRequest({ method, url }), what });
  }
}
