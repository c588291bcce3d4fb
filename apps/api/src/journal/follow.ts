import { setTimeout as pause } from 'node:timers/promises';
import { UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import type { Entry } from '@rexdeploy/shared/journal/journal';
import { isTerminal } from '@rexdeploy/shared/journal/state';
import type { Folded } from '../deployments.js';
import type { ApiParts } from '../parts.js';
import { isAfter } from './entry-id.js';

type Parts = Pick<ApiParts, 'deployments' | 'feed'>;
const REDIS_RETRY_MS = 500;
const START = '0-0';

/**
 * A journal from after an entry (undefined: from its start) to its end, then live. Ends with the deployment or the signal;
 * waits while Redis is away. A reader that is slow holds up nobody and nothing piles up for it.
 */
export async function* follow(
  parts: Parts,
  id: string,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Entry, void, undefined> {
  let position = after ?? START;
  const rest = async function* (): AsyncGenerator<Entry, void, undefined> {
    for (;;) {
      const page = await patiently(() => parts.deployments.readAfter(id, position), signal);
      if (page === undefined || page.length === 0) return;
      for (const entry of page) {
        position = entry.id;
        yield entry;
      }
    }
  };

  // Asked before the journal is read: an end that comes in between is met there. By itself, because whoever comes again after
  // the last entry would wait for ever if this were of a moment before it.
  const before = await patiently(() => parts.deployments.findNow(id), signal);
  let ended = false;
  for await (const entry of rest()) {
    yield entry;
    // What was noted since the end, who was told of it for one, is read on to the end of the journal.
    ended ||= entry.event.type === 'finished';
  }
  if (ended) return;
  if (before === undefined || isTerminal(before.state.state)) return;

  const watch = parts.feed.watch(id, position);
  try {
    let news: Entry[] | 'behind' | undefined = 'behind';
    while (news !== undefined) {
      for await (const entry of news === 'behind' ? rest() : news) {
        if (news !== 'behind' && !isAfter(entry.id, position)) continue;
        position = entry.id;
        yield entry;
        if (entry.event.type === 'finished') return;
      }
      news = await watch.take(signal);
    }
  } finally {
    watch.close();
  }
}

/** The deployment when it has ended, or as it is when the signal is aborted. */
export async function waitForEnd(parts: Parts, id: string, signal: AbortSignal): Promise<Folded> {
  const found = await parts.deployments.find(id);
  if (isTerminal(found.state.state) || signal.aborted) return found;
  for await (const _ of follow(parts, id, found.lastId, signal)) {
    // only the end is of interest
  }
  return signal.aborted ? parts.deployments.find(id) : parts.deployments.findEnded(id);
}

/** Asks again for as long as Redis is away. @returns undefined when the signal was aborted */
async function patiently<T>(question: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      await pause(REDIS_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
