import { loadConfig } from '@rexdeploy/shared/config/load';
import type { Config } from '@rexdeploy/shared/config/resolved';
import type { Command } from 'commander';

/** The config file that the command line names, else REX_CONFIG, else ./config.yml. */
export const configFileOf = (command: Command): string =>
  command.optsWithGlobals<{ config?: string }>().config ?? process.env.REX_CONFIG ?? 'config.yml';

/** @throws ConfigError with every fault of the file */
export const configOf = (command: Command): Config => loadConfig(configFileOf(command));
