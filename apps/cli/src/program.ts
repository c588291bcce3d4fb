import { Command } from 'commander';
import { addCheck } from './commands/check.js';
import { addCheckUrl } from './commands/checkurl.js';
import { addCompletion } from './commands/completion.js';
import { addConfigCheck } from './commands/config-check.js';
import { addConfigSchema } from './commands/config-schema.js';
import { addControls } from './commands/control.js';
import { addConverge } from './commands/converge.js';
import { addDeploy } from './commands/deploy.js';
import { addDrained } from './commands/drained.js';
import { addHostsTrust } from './commands/hosts-trust.js';
import { addImport } from './commands/import.js';
import { addList } from './commands/list.js';
import { addLogin } from './commands/login.js';
import { addNames } from './commands/names.js';
import { addRelease } from './commands/release.js';
import { addRollback } from './commands/rollback.js';
import { addService } from './commands/service.js';
import { addStatus } from './commands/status.js';
import { addTokenCreate } from './commands/token-create.js';
import { addTokenList } from './commands/token-list.js';
import { addTokenRevoke } from './commands/token-revoke.js';
import { addUnlock } from './commands/unlock.js';
import { addUpload } from './commands/upload.js';
import { addWatch } from './commands/watch.js';
import { addWeights } from './commands/weights.js';

const EXIT_CODES = `
Exit codes: 0 done, 1 the deployment (or the command) failed, 2 wrong usage or config,
            3 refused or busy, 4 the API or Redis cannot be reached`;

/** The whole command line of `rex`. */
export function makeProgram(): Command {
  const program = new Command('rex')
    .description('rolls a release over servers, one instance after another')
    .option('-c, --config <file>', 'config.yml to use (default: REX_CONFIG, else ./config.yml)')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(see rex --help)')
    // Errors are thrown, so that main.ts alone decides about exit codes. Subcommands inherit it.
    .exitOverride();

  addDeploy(program);
  addRollback(program);
  addConverge(program);
  addCheck(program);
  addControls(program);
  addUnlock(program);
  addDrained(program);
  addStatus(program);
  addWatch(program);
  addList(program);
  addUpload(program);

  const token = program.command('token').description('tokens of the API');
  addTokenCreate(token);
  addTokenList(token);
  addTokenRevoke(token);

  const config = program.command('config').description('the config file');
  addConfigCheck(config);
  addConfigSchema(config);

  const hosts = program.command('hosts').description('keys of the hosts');
  addHostsTrust(hosts);

  addLogin(program);
  addCompletion(program);
  addRelease(program);
  addService(program);
  addCheckUrl(program);
  addWeights(program);
  addNames(program);
  addImport(program);
  return program;
}
