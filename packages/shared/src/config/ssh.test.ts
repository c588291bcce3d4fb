import { expect, test } from 'vitest';
import { parseConfig } from './load.js';
import type { ResolvedSsh } from './resolved.js';

/** What the sections of an environment and of its instance make of the log-in. */
function loginWith(environment: object, instance?: object): ResolvedSsh | undefined {
  const known = { user: 'deploy', private_key: 'keys/deploy', known_hosts: 'keys/known' };
  const server1 = { host: 'h1', program_dir: '/srv/a', ...(instance === undefined ? {} : { ssh: instance }) };
  const prod = { ssh: { ...known, ...environment }, names: { server: { instances: { server1 } } } };
  const text = JSON.stringify({ env: { key: 'prod' }, environments: { prod } });
  const config = parseConfig(text, '/etc/rex/config.yml', { SECRET: 'hush' });
  return config.own.names.get('server')?.instances.get('server1')?.ssh;
}

test('hosts are reached directly and as the user who logs in, unless the file says otherwise', () => {
  expect(loginWith({})).toMatchObject({ sudo: false, jump: [] });
  expect(loginWith({ sudo: true })).toMatchObject({ sudo: true });
  expect(loginWith({ sudo: true, jump: { host: 'gate' } }, { sudo: 'false', jump: [] })).toMatchObject({
    sudo: false,
    jump: [],
  });
});

test('a jump host gets user, known_hosts and log-in of the section around it, and never its port', () => {
  expect(loginWith({ port: 2222, passphrase: '${SECRET}', jump: { host: 'gate' } })?.jump).toEqual([
    {
      host: 'gate',
      port: 22,
      user: 'deploy',
      privateKey: '/etc/rex/keys/deploy',
      passphrase: 'hush',
      password: undefined,
      agent: undefined,
      knownHosts: '/etc/rex/keys/known',
    },
  ]);
});

test('a jump host with a log-in of its own is shown no other one', () => {
  const around = { passphrase: '${SECRET}', password: '${SECRET}', agent: '/run/agent' };
  const jump = [
    { host: 'gate', private_key: 'keys/gate' },
    { host: 'inner', user: 'hop', port: 2200 },
  ];
  expect(loginWith({ ...around, jump })?.jump).toMatchObject([
    { host: 'gate', privateKey: '/etc/rex/keys/gate', passphrase: undefined, password: undefined, agent: undefined },
    {
      host: 'inner',
      user: 'hop',
      port: 2200,
      privateKey: '/etc/rex/keys/deploy',
      password: 'hush',
      agent: '/run/agent',
    },
  ]);
});

test('what an instance gives is also what its jump host gets', () => {
  expect(loginWith({ jump: { host: 'gate' } }, { user: 'other' })?.jump).toMatchObject([
    { host: 'gate', user: 'other' },
  ]);
});
