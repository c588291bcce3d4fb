import type { DeployParams } from '@rexdeploy/shared/api/deploy-params';
import { type Command, Option } from 'commander';
import type { Client } from '../client.js';
import { UnreachableError } from '../errors.js';
import { note, print, printJson } from '../output.js';
import { withClient, withServerOptions } from '../server.js';
import { followAndShow } from '../show.js';

type Switch = '0' | '1';

interface Options {
  k: string;
  senv?: string;
  url?: string;
  package?: string;
  full?: '1' | '2';
  sha256?: string;
  dryRun?: Switch;
  sprint?: Switch;
  detach?: true;
  json?: true;
}

/** `rex deploy`: starts a deployment and follows it; fails when the deployment fails. */
export function addDeploy(parent: Command): void {
  const command = parent
    .command('deploy')
    .description('deploy to a name, or to some of its instances')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes')
    .addOption(new Option('--senv <environment>', 'take the program from there').conflicts(['url', 'package']))
    .addOption(new Option('--url <url>', 'take the program from an archive').conflicts(['senv', 'package']))
    .addOption(new Option('--package <id>', 'take an uploaded package').conflicts(['senv', 'url']))
    .addOption(new Option('--full <1|2>', '1 over the current release, 2 in its place').choices(['1', '2']))
    .option('--sha256 <digest>', 'expected digest of the archive')
    .addOption(switchOption('--dry-run [0|1]', 'report what would change, touch nothing'))
    .addOption(switchOption('--sprint [0|1]', "put the roll-out's log into the answer"))
    .option('--detach', 'print the job and return at once')
    .option('--json', 'print the final answer as JSON');
  withServerOptions(command).action((options: Options) =>
    withClient(command, async (client) => {
      const id = await start(client, options);
      if (!options.detach) return followAndShow(client, id, options.json === true);
      if (options.json) printJson({ id });
      else print(id);
    }),
  );
}

/** Also takes its value as the documented parameter does, so that `respon.cmd` of an answer runs as it stands. */
const switchOption = (flags: string, description: string): Option =>
  new Option(flags, description).choices(['0', '1']).preset('1');

async function start(client: Client, options: Options): Promise<string> {
  const { job, ...answer } = await client.deploy(paramsOf(options));
  if (job === undefined) throw new UnreachableError({ what: `the API accepted without a job: ${answer.data.msg}` });
  if (!options.detach) note(`${job.id} ${job.state}`);
  return job.id;
}

function paramsOf(options: Options): Record<string, string> {
  const { k, senv, url, full, sha256, dryRun, sprint } = options;
  const params: Omit<DeployParams, 'action'> = { k, senv, url, package: options.package, full, sha256, sprint };
  const all = Object.entries({ ...params, dry_run: dryRun });
  return Object.fromEntries(all.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
