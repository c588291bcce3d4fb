import type { Command } from 'commander';
import { planOf } from '../config/plan.js';
import { configOf } from '../config-of.js';
import { print, printJson } from '../output.js';
import { renderPlan } from '../render/plan.js';

/** `rex config check`: all faults of the config, or what it makes of each name. */
export function addConfigCheck(parent: Command): void {
  parent
    .command('check')
    .description('check config.yml and print the plan of each name')
    .option('--json', 'print JSON')
    .action((options: { json?: true }, command: Command) => {
      const plan = planOf(configOf(command));
      if (options.json) printJson(plan);
      else print(renderPlan(plan));
    });
}
