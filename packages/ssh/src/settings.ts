import type { ResolvedLogin, ResolvedSsh } from '@rexdeploy/shared/config/resolved';
import type { SshSettings } from './transport.js';

/** The config's log-in to a host, and to those on the way to it, as the transport takes it. */
export function sshSettings(host: string, ssh: ResolvedSsh): SshSettings {
  const via = jumpSettings(ssh);
  return {
    ...loginTo(host, ssh),
    ...(ssh.sudo === true ? { sudo: true } : {}),
    ...(via === undefined ? {} : { via }),
  };
}

/** The last host on the way to those of a log-in; undefined when they are reached directly. */
export function jumpSettings({ jump = [] }: ResolvedSsh): SshSettings | undefined {
  return jump.reduce<SshSettings | undefined>(
    (via, hop) => ({ ...loginTo(hop.host, hop), ...(via === undefined ? {} : { via }) }),
    undefined,
  );
}

function loginTo(host: string, login: ResolvedLogin): SshSettings {
  return {
    host,
    port: login.port,
    user: login.user,
    knownHostsPath: login.knownHosts,
    ...(login.privateKey === undefined ? {} : { privateKeyPath: login.privateKey }),
    ...(login.passphrase === undefined ? {} : { passphrase: login.passphrase }),
    ...(login.password === undefined ? {} : { password: login.password }),
    ...(login.agent === undefined ? {} : { agent: login.agent }),
  };
}
