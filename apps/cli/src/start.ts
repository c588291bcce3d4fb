import { type Command, Option } from 'commander';
import type { Client } from './client.js';
import { EXIT, UnreachableError } from './errors.js';
import { note, print, printJson } from './output.js';
import { withClient, withServerOptions } from './server.js';
import { followAndShow } from './show.js';

export type Switch = '0' | '1';

/** What every command that starts a job takes. */
interface JobOptions {
  detach?: true;
  json?: true;
}

/** Also takes its value as the documented parameter does, so that `respon.cmd` of an answer runs as it stands. */
export const switchOption = (flags: string, description: string): Option =>
  new Option(flags, description).choices(['0', '1']).preset('1');

/** Parameters of roll-outs that all of them have. */
export const rolloutOptions = (command: Command): Command =>
  command
    .addOption(switchOption('--hold [0|1]', 'stop after the first batch until resumed'))
    .addOption(new Option('--on-failure <policy>', 'after a failure').choices(['rollback', 'rollback_all', 'halt']))
    .addOption(
      new Option('--when-busy <what>', 'when the name is being deployed').choices(['refuse', 'queue', 'supersede']),
    )
    .addOption(switchOption('--force [0|1]', 'also in a freeze window; needs an admin token'))
    .addOption(switchOption('--sprint [0|1]', "put the roll-out's log into the answer"));

/** The documented name of an option: `dryRun` is `dry_run`. */
const parameterName = (option: string): string => option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Options as parameters of `POST /rex`; what was not given is left out. */
function paramsOf(options: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) =>
      typeof value === 'string' ? [[parameterName(name), value] as const] : [],
    ),
  );
}

/** Makes a command start a job of an action with its options as parameters, and follow it; fails when the job fails. */
export function startsJob(command: Command, action: string): void {
  command.option('--detach', 'print the job and return at once').option('--json', 'print the final answer as JSON');
  withServerOptions(command);
  const server = new Set(['server', 'token']);
  command.action((options: JobOptions & Record<string, unknown>) =>
    withClient(command, async (client) => {
      const own = Object.fromEntries(Object.entries(options).filter(([name]) => !server.has(name)));
      const id = await start(client, action, paramsOf(own), options.detach === true);
      if (options.detach !== true) return followAndShow(client, id, options.json ? 'json' : 'text');
      if (options.json) printJson({ id });
      else print(id);
    }),
  );
}

async function start(client: Client, action: string, params: Record<string, string>, detach: boolean): Promise<string> {
  process.once('SIGINT', unanswered);
  const { job, ...answer } = await client.rex({ action, ...params }).finally(() => process.off('SIGINT', unanswered));
  if (job === undefined) throw new UnreachableError({ what: `the API accepted without a job: ${answer.data.msg}` });
  if (!detach) note(`${job.id} ${job.state}`);
  return job.id;
}

/** Nobody should have to guess whether it was started. */
function unanswered(): void {
  note('rex: the request was sent, and not answered yet; whether it was accepted shows: rex list --limit 3');
  process.exit(EXIT.interrupted);
}
