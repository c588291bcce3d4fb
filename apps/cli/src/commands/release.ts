import { type Command, Option } from 'commander';
import { startsJob, switchOption } from '../start.js';

/** `rex release`: as `rex deploy`, past the balancer and all instances at once. */
export function addRelease(parent: Command): void {
  const command = parent
    .command('release')
    .description('deploy to all instances at once, past the balancer: nothing serves meanwhile')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes')
    .addOption(new Option('--senv <environment>', 'take the program from there').conflicts(['url', 'package']))
    .addOption(new Option('--url <url>', 'take the program from an archive').conflicts(['senv', 'package']))
    .addOption(new Option('--package <id>', 'take an uploaded package').conflicts(['senv', 'url']))
    .addOption(new Option('--full <1|2>', '1 over the current release, 2 in its place').choices(['1', '2']))
    .option('--sha256 <digest>', 'expected digest of the archive')
    .addOption(switchOption('--dry-run [0|1]', 'report what would change, touch nothing'))
    .option('--plan <hash>', 'only while all is as the dry run saw it that printed this')
    .addOption(new Option('--on-failure <policy>', 'after a failure').choices(['rollback', 'rollback_all', 'halt']))
    .addOption(
      new Option('--when-busy <what>', 'when the name is being deployed').choices(['refuse', 'queue', 'supersede']),
    )
    .addOption(switchOption('--force [0|1]', 'also in a freeze window; needs an admin token'))
    .addOption(switchOption('--sprint [0|1]', "put the roll-out's log into the answer"));
  startsJob(command, 'release');
}
