import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import type { Client } from './client.js';
import { EXIT } from './errors.js';
import { follow } from './follow.js';
import { note, print, printJson } from './output.js';
import { eventLine } from './render/event-line.js';
import { renderResult } from './render/result.js';

/** Prints a job's answer, and lets the process end with what became of the job. */
export function show(envelope: Envelope, json: boolean): void {
  if (json) printJson(envelope);
  else print(renderResult(envelope));
  if (envelope.code !== '0') process.exitCode = EXIT.failed;
}

/** Follows a job to its end, one line per event on stderr, then prints its answer. */
export async function followAndShow(client: Client, id: string, json: boolean): Promise<void> {
  const onInterrupt = (): void => {
    note(`rex: no longer watching; the deployment goes on: rex watch ${id}`);
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  try {
    const envelope = await follow(client, id, {
      onEvent: (message) => note(eventLine(message)),
      onBreak: (error) => note(`rex: the stream broke off${error ? ` (${error.message})` : ''}; opening it again`),
    });
    show(envelope, json);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
