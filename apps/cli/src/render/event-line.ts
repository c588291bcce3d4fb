import { eventSchema, type JournalEvent } from '@rexdeploy/shared/journal/events';
import { logLine } from '@rexdeploy/shared/journal/reduce';
import { humanSize } from '@rexdeploy/shared/units';
import type { SseMessage } from '../sse.js';

/** The event in a message of a job's stream; undefined for a kind that a newer API has added. */
export function eventOf(message: SseMessage): JournalEvent | undefined {
  return eventSchema.safeParse(parse(message.data)).data;
}

/** One plain line for a message of a job's stream. */
export function eventLine(message: SseMessage): string {
  const event = eventOf(message);
  // A kind of event that a newer API has added is still worth its name.
  if (event === undefined) return `${message.event} ${message.data}`;
  return logLine(event) ?? lineOf(event);
}

/** The kinds that the roll-out's own log leaves out. */
function lineOf(event: JournalEvent): string {
  switch (event.type) {
    case 'accepted':
      return `${event.at} accepted ${event.id}: ${event.request.action} ${event.request.k}`;
    case 'step-progress':
      return `${event.at} ${event.instance} ${event.step} ${humanSize(event.bytes)} of ${humanSize(event.bytesTotal)}`;
    case 'notified':
      return `${event.at} ${event.notifier} was told of: ${event.notice}`;
    case 'notify-failed':
      return `${event.at} ${event.notifier} could NOT be told of: ${event.notice}; ${event.error.what}`;
    default:
      return `${event.at} ${event.type}`;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
