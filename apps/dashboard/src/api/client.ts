import { ApiClient } from '@rexdeploy/shared/api/client';
import { RefusedError } from '@rexdeploy/shared/errors/client-errors';
import { type RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';

/** Fired when the API no longer takes the log-in. */
export const LOGGED_OUT = 'rex-logged-out';

/**
 * The proof that a change is wanted by this page: scripts of other origins cannot send it. And the types of answers that it
 * reads, whatever the configuration gives to others.
 */
export const PAGE_HEADERS = { 'x-rex-dashboard': '1', accept: 'application/json; envelope=page' } as const;

/** The API that this page came from; the cookie says who asks. */
export const api = new ApiClient({
  base: '',
  headers: PAGE_HEADERS,
  fetch: async (url, init) => {
    const answer = await fetch(url, { ...init, credentials: 'same-origin', cache: 'no-store' });
    if (answer.status === 401) noteRefusal(answer.status);
    return answer;
  },
});

export function noteRefusal(status: number): void {
  if (status === 401) window.dispatchEvent(new Event(LOGGED_OUT));
}

/** What was thrown, as an error that says what to do. */
export const errorOf = (thrown: unknown): RexError => toRexError(thrown);

export const statusOf = (error: unknown): number | undefined =>
  error instanceof RefusedError ? error.status : undefined;

/** The job that is in the way, of a refusal that names one. */
export const jobInTheWay = (error: unknown): string | undefined =>
  error instanceof RefusedError ? error.envelope?.job?.id : undefined;

/** A documented list, in its order. */
export const rowsOf = <T>(list: Readonly<Record<string, T>>): T[] => Object.values(list);

/** A text that may be absent (`{}`). */
export const textOf = (value: string | Record<string, never> | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
