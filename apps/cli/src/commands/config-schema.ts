import type { Command } from 'commander';
import { configJsonSchema } from '../config/json-schema.js';
import { printJson } from '../output.js';

/** `rex config schema`: for editors that complete and check YAML. */
export function addConfigSchema(parent: Command): void {
  parent
    .command('schema')
    .description('print the JSON Schema of config.yml, for editors')
    .action(() => printJson(configJsonSchema()));
}
