/** Logs in with the OpenSSH client, the way an operator would; host keys are checked strictly. */
import { userInfo } from 'node:os';
import { type CommandResult, runCommand } from './command.js';

export interface SshTarget {
  address: string;
  port: number;
  privateKey: string;
  knownHosts: string;
}

/** Runs one command line on the host; exit code 255 is a failure of the connection itself. */
export function ssh(target: SshTarget, commandLine: string, input?: string): Promise<CommandResult> {
  const options = {
    BatchMode: 'yes',
    IdentitiesOnly: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: target.knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    LogLevel: 'ERROR',
    ConnectTimeout: '10',
  };
  const words = [
    '-F',
    '/dev/null',
    '-i',
    target.privateKey,
    ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    '-p',
    String(target.port),
    `${userInfo().username}@${target.address}`,
    commandLine,
  ];
  return runCommand('ssh', words, input === undefined ? {} : { input });
}
