import type { ResolvedSsh } from '@rexdeploy/shared/config/resolved';
import type { SshSettings } from '@rexdeploy/ssh/transport';

/** The config's log-in as the transport takes it. */
export function sshSettings(host: string, ssh: ResolvedSsh): SshSettings {
  return {
    host,
    port: ssh.port,
    user: ssh.user,
    knownHostsPath: ssh.knownHosts,
    ...(ssh.privateKey === undefined ? {} : { privateKeyPath: ssh.privateKey }),
    ...(ssh.passphrase === undefined ? {} : { passphrase: ssh.passphrase }),
    ...(ssh.password === undefined ? {} : { password: ssh.password }),
    ...(ssh.agent === undefined ? {} : { agent: ssh.agent }),
  };
}
