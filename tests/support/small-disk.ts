import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FleetInstance } from '@rexdeploy/sandbox/instance';

/** A disk of its own for what lies beside an instance's program; whoever runs the tests must be root for that. */
export interface SmallDisk {
  /** Changes it under way: `size=1m`, `nr_inodes=100`, `ro`, `rw`. */
  remount(options: string): void;
  /** Inodes in use. */
  usedInodes(): number;
  unmount(): void;
}

/** Moves the folder of an instance's directories, with the app stopped meanwhile, to a disk in memory. */
export async function moveToSmallDisk(instance: FleetInstance): Promise<SmallDisk> {
  const folder = dirname(instance.programDir);
  const aside = `${folder}.aside`;
  await instance.runService('stop');
  execFileSync('cp', ['-a', folder, aside]);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'rex-tests', folder]);
  execFileSync('cp', ['-a', `${aside}/.`, folder]);
  rmSync(aside, { recursive: true });
  await instance.start();
  return {
    remount: (options) => execFileSync('mount', ['-o', `remount,${options}`, folder]),
    usedInodes: () => Number(execFileSync('df', ['--output=iused', folder], { encoding: 'utf8' }).split('\n')[1]),
    // The app runs there until the fleet ends.
    unmount: () => execFileSync('umount', ['--lazy', folder]),
  };
}
