import { type JobView, jobSchema } from '@rexdeploy/shared/api/envelope-schema';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { print, printJson } from '../output.js';
import { table } from '../render/table.js';
import { withClient, withServerOptions } from '../server.js';

/** The API's own limit of one page. */
const MAX_LIMIT = 200;

interface Options {
  k?: string;
  state?: JobView['state'];
  limit: string;
  json?: true;
}

/** `rex list`: jobs, newest first. */
export function addList(parent: Command): void {
  const command = parent
    .command('list')
    .description('list jobs, newest first')
    .option('--k <name>', 'of one name')
    .addOption(new Option('--state <state>', 'in one state').choices(jobSchema.shape.state.options))
    .option('--limit <number>', 'at most so many', limit, '20')
    .option('--json', 'print JSON');
  withServerOptions(command).action(({ k, state, limit, json }: Options) =>
    withClient(command, async (client) => {
      const jobs = await client.jobs({ ...(k && { k }), ...(state && { state }), limit });
      if (json) return printJson(jobs);
      const rows = jobs.map((job) => [
        job.id,
        job.state,
        job.action,
        job.k,
        job.created_at,
        `${job.progress.done}/${job.progress.total}`,
      ]);
      print(rows.length === 0 ? 'no jobs' : table(['JOB', 'STATE', 'ACTION', 'K', 'CREATED', 'DONE'], rows));
    }),
  );
}

function limit(text: string): string {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= MAX_LIMIT) return text;
  throw new InvalidArgumentError(`A whole number from 1 to ${MAX_LIMIT}.`);
}
