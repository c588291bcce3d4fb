import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FleetInstance } from '@rexdeploy/sandbox/instance';
import type { JsonObject } from '@rexdeploy/sandbox/merge';

/**
 * One name of the fleet with an app that costs next to nothing: a `sleep` whose length tells whose it is, started in the
 * release. Its balancer is three commands on a file. What the tests want to go wrong lies as files in `faults`.
 */
export class Lane {
  readonly name: string;
  readonly instances: readonly FleetInstance[];
  readonly #dir: string;

  constructor(name: string, instances: readonly FleetInstance[], dir: string) {
    this.name = name;
    this.instances = instances;
    this.#dir = join(dir, name);
    for (const folder of ['faults', 'rotation']) mkdirSync(join(this.#dir, folder), { recursive: true });
    writeFileSync(join(this.#dir, 'service'), SERVICE, { mode: 0o755 });
    for (const { key } of instances) writeFileSync(this.#rotationFile(key), this.rotationAtFirst(key));
  }

  /** The name's section in config.yml. @param batches its rollout @param all keys of the name, of which others go */
  config(batches: readonly string[], all: readonly string[]): JsonObject {
    const rotation = `${this.#dir}/rotation/$REX_INSTANCE`;
    const own: JsonObject = Object.fromEntries(
      this.instances.map((instance) => [
        instance.key,
        { service: this.#commands(instance), process: this.#pattern(instance.key), config_dir: undefined },
      ]),
    );
    return {
      rollout: [...batches],
      // What does not stop is killed then.
      service_timeout: { stop: '5s' },
      balancer: {
        type: 'command',
        look: `head -n 1 ${rotation}; grep -q ^up ${rotation}`,
        drain: `echo down > ${rotation}`,
        restore: `echo "$REX_FOUND" > ${rotation}`,
        settle: '0s',
      },
      health: {
        command: `test ! -e ${this.#dir}/faults/sick-$REX_INSTANCE-$(cat ${this.#link()}/version)`,
        attempts: 3,
        interval: '30ms',
      },
      instances: { ...Object.fromEntries(all.map((key) => [key, undefined])), ...own },
    };
  }

  /** Makes something go wrong from now on. */
  fault(kind: 'no-start' | 'no-stop' | 'sick', instance: string, version: string): void {
    writeFileSync(join(this.#dir, 'faults', `${kind}-${instance}-${version}`), '');
  }

  mend(): void {
    for (const file of readdirSync(join(this.#dir, 'faults'))) rmSync(join(this.#dir, 'faults', file));
  }

  /** @param env ties the processes to the fleet, which ends them */
  start(env: Readonly<Record<string, string>>): void {
    for (const instance of this.instances) {
      writeFileSync(join(realpathSync(instance.programDir), 'version'), 'v0\n');
      execFileSync('sh', ['-c', this.#commands(instance).start], { env: { ...process.env, ...env } });
    }
  }

  rotationAtFirst = (key: string): string => `up weight=${key.length}${key.at(-1)}\n`;

  /** What can be seen of an instance from outside. */
  look({ key, programDir }: FleetInstance): {
    link: string;
    version: string;
    runs: string[];
    rotation: string;
    beside: string[];
  } {
    const link = readlinkSync(programDir);
    const state = join(dirname(programDir), '.rexdeploy');
    const own = basename(programDir);
    return {
      link,
      version: readFileSync(join(link, 'version'), 'utf8').trim(),
      runs: pidsOf(this.#pattern(key)).map(workingDirectory),
      rotation: readFileSync(this.#rotationFile(key), 'utf8'),
      beside: existsSync(state)
        ? readdirSync(state).filter(
            (file) => file.startsWith(own) && /(partial|\.lock|\.rotation|-new|\.new)$/.test(file),
          )
        : [],
    };
  }

  #rotationFile = (key: string): string => join(this.#dir, 'rotation', key);
  #number = (key: string): string =>
    `${process.pid}${this.name.replaceAll(/\D/g, '') || '1'}${key.replaceAll(/\D/g, '')}`;
  #pattern = (key: string): string => `^sleep 99999\\.${this.#number(key)}$`;
  #link = (): string => `$(cat ${this.#dir}/link-$REX_INSTANCE)`;

  #commands({ key, programDir }: FleetInstance): { start: string; stop: string } {
    writeFileSync(join(this.#dir, `link-${key}`), `${programDir}\n`);
    const words = `${this.#dir}/service ${key} ${programDir} ${this.#number(key)}`;
    return { start: `${words} start`, stop: `${words} stop` };
  }
}

/** Args: instance, program_dir, number, start|stop. Its own folder holds `faults`. */
const SERVICE = `#!/bin/sh
instance=$1; dir=$2; number=$3; verb=$4
faults=$(dirname "$0")/faults
version=$(cat "$dir/version")
case $verb in
  start)
    [ ! -e "$faults/no-start-$instance-$version" ] || { echo "no licence for $version" >&2; exit 3; }
    cd "$(readlink -f "$dir")" && setsid sleep "99999.$number" > /dev/null 2>&1 < /dev/null &
    ;;
  stop)
    [ ! -e "$faults/no-stop-$instance-$version" ] || { echo "still busy" >&2; exit 4; }
    pkill -f "^sleep 99999[.]$number\\$" || true
    ;;
esac
`;

function pidsOf(pattern: string): string[] {
  try {
    return execFileSync('pgrep', ['-f', pattern], { encoding: 'utf8' }).trim().split('\n');
  } catch {
    return []; // none matches
  }
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return 'ended';
  }
}
