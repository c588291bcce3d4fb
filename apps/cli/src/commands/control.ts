import type { Control } from '@rexdeploy/shared/journal/events';
import type { Command } from 'commander';
import { print, printJson } from '../output.js';
import { withClient, withServerOptions } from '../server.js';

const MEANING: Readonly<Record<Control, string>> = {
  cancel: 'stop a job before the next instance; the present one is brought back',
  hold: 'stop a job after its present batch, until it is resumed',
  resume: 'let a job go on that is held',
};

/** `rex cancel`, `rex hold` and `rex resume`. */
export function addControls(parent: Command): void {
  for (const control of ['cancel', 'hold', 'resume'] as const) {
    const command = parent
      .command(control)
      .description(MEANING[control])
      .argument('<job>', 'its id')
      .option('--json', 'print the answer as JSON');
    withServerOptions(command).action((id: string, { json }: { json?: true }) =>
      withClient(command, async (client) => {
        const answer = await client.control(id, control);
        if (json) return printJson(answer);
        print(`${id} ${answer.job?.state ?? ''}: ${control} asked for`);
      }),
    );
  }
}
