import { type Command, Option } from 'commander';
import { rolloutOptions, startsJob, switchOption } from '../start.js';

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
    .option('--plan <hash>', 'only while all is as the dry run saw it that printed this');
  startsJob(rolloutOptions(command), 'deploy');
}
