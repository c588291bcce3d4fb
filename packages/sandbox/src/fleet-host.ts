/** One plain server of a fleet: an sshd on an address of its own, and a folder that stands for its disk. */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult } from './command.js';
import { ssh } from './ssh-client.js';
import type { Sshd } from './sshd.js';
import { startSshd } from './sshd.js';
import { makeSudoUser, type SudoUser } from './sudo-user.js';

export interface HostOptions {
  /** How messages call it: `host1`, `lb`, `uat`. */
  label: string;
  dir: string;
  address: string;
  authorizedKey: string;
  /** The key that logs in, and where the host's own key is found. */
  privateKey: string;
  knownHosts: string;
  env: Readonly<Record<string, string>>;
  /** Also lets in a user who may become root with sudo. */
  sudo?: boolean;
}

export class FleetHost {
  private constructor(
    readonly label: string,
    readonly dir: string,
    /** Commands placed here come first on the PATH of everything run over SSH. */
    readonly binDir: string,
    readonly address: string,
    readonly sshd: Sshd,
    readonly privateKey: string,
    readonly knownHosts: string,
    readonly sudoUser: SudoUser | undefined,
  ) {}

  static async start(options: HostOptions): Promise<FleetHost> {
    const { label, dir, address, privateKey, knownHosts } = options;
    const binDir = join(dir, 'bin');
    await mkdir(join(dir, 'home'), { recursive: true });
    const sudoUser = options.sudo === true ? await makeSudoUser({ dir: join(dir, 'sudo'), binDir }) : undefined;
    const sshd = await startSshd({
      dir: join(dir, 'ssh'),
      address,
      authorizedKeys: [options.authorizedKey],
      binDir,
      sudoUser,
      // All hosts run on one machine: what is kept in the home directory must not be shared with other fleets.
      env: { ...options.env, HOME: join(dir, 'home') },
    });
    return new FleetHost(label, dir, binDir, address, sshd, privateKey, knownHosts, sudoUser);
  }

  /** The port its sshd listens on. */
  get sshPort(): number {
    return this.sshd.port;
  }

  /** Runs a command line there with the OpenSSH client. */
  ssh(commandLine: string, input?: string): Promise<CommandResult> {
    const { address, sshPort, privateKey, knownHosts } = this;
    return ssh({ address, port: sshPort, privateKey, knownHosts }, commandLine, input);
  }

  /** Gives the host a command of its own, in place of the system's. */
  putCommand(name: string, script: string): void {
    writeFileSync(join(this.binDir, name), script, { mode: 0o755 });
  }
}
