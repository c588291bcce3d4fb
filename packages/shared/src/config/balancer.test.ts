import { expect, test } from 'vitest';
import { ConfigError } from '../errors/config-error.js';
import { parseConfig } from './load.js';

const SSH = { user: 'deploy', private_key: 'keys/deploy', known_hosts: 'keys/known' };

/** Sections as an environment, its name and its second instance give them. */
function configWith(environment: unknown, name?: unknown, second?: unknown, first?: unknown) {
  const balancer = (section: unknown) => (section === undefined ? {} : { balancer: section });
  const instances = {
    a1: { host: '10.0.0.1', program_dir: '/srv/a1', ...balancer(first) },
    a2: { host: '10.0.0.2', program_dir: '/srv/a2', ...balancer(second) },
  };
  const file = {
    env: { key: 'prod' },
    environments: {
      prod: { ssh: SSH, ...balancer(environment), names: { app: { ...balancer(name), instances } } },
    },
  };
  return parseConfig(JSON.stringify(file), '/etc/rex/config.yml', {}).own.names.get('app')?.instances;
}

function issuesOf(...sections: Parameters<typeof configWith>) {
  try {
    configWith(...sections);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

const LOGIN = expect.objectContaining({ user: 'deploy', privateKey: '/etc/rex/keys/deploy' });
const url = 'http://lb/{instance}';

test('HAProxy is reached over SSH with the log-in of the environment, at its usual socket', () => {
  expect(configWith({ type: 'haproxy', host: 'lb1', backend: 'app' })?.get('a1')?.balancer).toEqual({
    type: 'haproxy',
    backend: 'app',
    settle: 30_000,
    timeout: 30_000,
    reach: { host: 'lb1', login: LOGIN, socket: '/run/haproxy/admin.sock' },
  });
});

test('or over TCP, without a log-in', () => {
  const instances = configWith({ type: 'haproxy', address: '[::1]:9999', backend: 'app' });
  expect(instances?.get('a1')?.balancer).toMatchObject({ reach: { address: '[::1]:9999' } });
});

test('commands run on the machine of the worker, or on a host', () => {
  const commands = { type: 'command', look: 'l', drain: 'd', restore: 'r' };
  expect(configWith(commands)?.get('a1')?.balancer).toMatchObject({ reach: undefined, look: 'l' });
  const remote = configWith({ ...commands, host: 'lb1', ssh: { port: 2222 } });
  expect(remote?.get('a1')?.balancer).toMatchObject({ reach: { host: 'lb1', login: { port: 2222, user: 'deploy' } } });
});

test('an instance gives its server, the rest comes from outside', () => {
  const instances = configWith({ type: 'haproxy', host: 'lb1', backend: 'app' }, undefined, { server: 's2' });
  expect(instances?.get('a2')?.balancer).toMatchObject({ backend: 'app', server: 's2' });
});

test('a section of another type begins afresh', () => {
  const nginx = { type: 'nginx', host: 'lb1', upstream_file: '/etc/nginx/a.conf' };
  const instances = configWith(nginx, { type: 'haproxy', address: 'lb:9999', backend: 'app' }, { type: 'none' });
  expect(instances?.get('a1')?.balancer).toMatchObject({ type: 'haproxy' });
  expect(instances?.get('a2')?.balancer).toEqual({ type: 'none' });
});

test.each([
  [
    'neither host nor address',
    { type: 'haproxy', backend: 'app' },
    'address',
    'host (its socket over SSH) or address (over TCP)',
  ],
  [
    'both',
    { type: 'haproxy', backend: 'app', host: 'lb1', address: 'lb:1' },
    'address',
    'nothing where `host` is given: one of the two',
  ],
  ['an address without a port', { type: 'haproxy', backend: 'app', address: 'lb' }, 'address', 'host:port'],
  [
    'a backend that would begin another command',
    { type: 'haproxy', backend: 'app; shutdown', host: 'lb1' },
    'backend',
    'letters, digits, "_", ".", ":" or "-"',
  ],
  [
    'a socket that would be read as something else',
    { type: 'haproxy', backend: 'app', host: 'lb1', socket: '/run/a,b' },
    'socket',
    'an absolute path of letters, digits, "_", "." and "-"',
  ],
  [
    'a pattern that is none',
    { type: 'http', look: { url, in: '(' }, drain: { url }, restore: { url } },
    'look.in',
    'a regular expression',
  ],
  [
    'a weight that nothing finds',
    { type: 'http', look: { url, in: 'up' }, drain: { url }, restore: { url, body: '{weight}' } },
    'look.weight',
    'a regular expression with one group, because {weight} is used',
  ],
  ['a command that is missing', { type: 'command', look: 'l', drain: 'd' }, 'restore', 'a text'],
])('%s is told', (_, section, path, expected) => {
  expect(issuesOf(section)).toContainEqual(
    expect.objectContaining({ path: `environments.prod.balancer.${path}`, expected }),
  );
});

test('one server for two instances is told', () => {
  const issues = issuesOf(
    { type: 'haproxy', host: 'lb1', backend: 'app' },
    undefined,
    { server: 's' },
    { server: 's' },
  );
  expect(issues).toEqual([
    {
      path: 'environments.prod.names.app.instances.a2.balancer.server',
      found: '"s", which a1 has',
      expected: 'a server of its own',
    },
  ]);
});
