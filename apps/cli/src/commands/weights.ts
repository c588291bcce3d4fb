import type { Envelope, Leaves } from '@rexdeploy/shared/api/envelope-schema';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { EXIT } from '../errors.js';
import { follow } from '../follow.js';
import { note, print, printJson } from '../output.js';
import { eventLine } from '../render/event-line.js';
import { table } from '../render/table.js';
import { withClient, withServerOptions } from '../server.js';
import { switchOption } from '../start.js';

interface Options {
  k: string;
  set?: string;
  whenBusy?: string;
  force?: string;
  json?: true;
}

/** `rex weights`: weight and rotation of a name's instances as the balancer tells them; `--set` changes them first. */
export function addWeights(parent: Command): void {
  const command = parent
    .command('weights')
    .description('show the weights of instances in their balancer, or set them')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes')
    .option('--set <weight>', '0 takes out of rotation, restore gives back what was taken out', weight)
    .addOption(
      new Option('--when-busy <what>', 'when the name is being deployed').choices(['refuse', 'queue', 'supersede']),
    )
    .addOption(switchOption('--force [0|1]', 'also the last one that serves; needs an admin token'))
    .option('--json', 'print the final answer as JSON');
  withServerOptions(command).action(({ k, set, whenBusy, force, json }: Options) =>
    withClient(command, async (client) => {
      const changes = { ...(whenBusy && { when_busy: whenBusy }), ...(force && { force }) };
      const params = set === undefined ? { action: 'queryk', k } : { action: 'updatek', k, weight: set, ...changes };
      const { job } = await client.rex(params);
      const onEvent = (message: Parameters<typeof eventLine>[0]): void => {
        if (set !== undefined) note(eventLine(message));
      };
      const answer = await follow(client, job?.id ?? '', { onEvent });
      if (json) printJson(answer);
      else print(render(answer));
      if (answer.code !== '0') process.exitCode = EXIT.failed;
    }),
  );
}

function weight(text: string): string {
  if (/^(\d{1,5}|restore)$/.test(text)) return text;
  throw new InvalidArgumentError('A whole number, or restore.');
}

const text = z.union([z.string(), z.strictObject({}).transform(() => '')]);
const rowSchema = z.looseObject({ k: z.string(), weight: text, in_rotation: text, rotation: text, kept: z.string() });

function render(answer: Envelope): string {
  const rows = rowsOf(answer.data.data).map((row) => {
    const inside = row.in_rotation === '' ? '' : row.in_rotation === '1' ? 'in' : 'out';
    return [row.k, inside, row.weight, row.rotation, row.kept];
  });
  const shown =
    rows.length === 0 ? [] : [table(['INSTANCE', 'ROTATION', 'WEIGHT', 'IN THE BALANCER', 'KEPT BECAUSE'], rows)];
  return [...shown, ...(answer.msg === undefined ? [] : [answer.msg])].join('\n');
}

/** Rows lie deep in the documented shape: `data.0.data.<n>.data.data.0`. */
function rowsOf(node: Leaves): z.infer<typeof rowSchema>[] {
  if (typeof node === 'string') return [];
  const row = rowSchema.safeParse(node);
  return row.success ? [row.data] : Object.values(node).flatMap(rowsOf);
}
