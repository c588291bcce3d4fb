import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import type { Client } from './client.js';
import { EXIT } from './errors.js';
import { follow } from './follow.js';
import { note, print, printJson } from './output.js';
import { renderResult } from './render/result.js';
import { openView } from './render/view.js';

/** Prints a job's answer, and lets the process end with what became of the job. */
export function show(envelope: Envelope, json: boolean): void {
  if (json) printJson(envelope);
  else print(renderResult(envelope));
  endWith(envelope);
}

/** What a followed job prints: text; the final answer as JSON; every event as a line of JSON, the answer the last one. */
export type FollowOutput = 'text' | 'json' | 'json-lines';

/** Follows a job to its end, and lets the process end with what became of it. */
export async function followAndShow(client: Client, id: string, output: FollowOutput): Promise<void> {
  const view = openView(output === 'json-lines' ? 'lines' : 'text');
  const onInterrupt = (): void => {
    view.end();
    note(`rex: no longer watching; ${id} goes on. Watch it: rex watch ${id}   Cancel it: rex cancel ${id}`);
    process.exit(EXIT.interrupted);
  };
  process.once('SIGINT', onInterrupt);
  try {
    const answer = await follow(client, id, {
      onEvent: (message) => view.show(message),
      onEnd: (message) => view.finish(message),
      onOpen: () => view.opened(),
      onBreak: (error) => view.broke(error),
    });
    view.end();
    if (output === 'json-lines') endWith(answer);
    else show(answer, output === 'json');
  } finally {
    view.end();
    process.off('SIGINT', onInterrupt);
  }
}

function endWith({ code }: Envelope): void {
  if (code !== '0') process.exitCode = EXIT.failed;
}
