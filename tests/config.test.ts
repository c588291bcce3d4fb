import { readFileSync } from 'node:fs';
import { configJsonSchema, type JsonSchema } from '@rexdeploy/cli/config/json-schema';
import { parseConfig } from '@rexdeploy/shared/config/load';
import { ConfigError } from '@rexdeploy/shared/errors/config-error';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';

const root = new URL('../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

/** A config without faults; each row below breaks it in one place. */
const GOOD = `
env: { key: prod }
environments:
  prod:
    allow_senv: [uat]
    ssh: { user: deploy, private_key: keys/deploy }
    names:
      server:
        rollout: [server1, server2]
        health: { url: "http://{host}:6080/health" }
        instances:
          server1: { host: h1, program_dir: /data/www/html1, config_dir: /data/www/config1 }
          server2: { host: h2, program_dir: /data/www/html2 }
  uat:
    ssh: { user: deploy, private_key: keys/deploy }
    names: { server: { instances: { server1: { host: h3, program_dir: /data/www/html1 } } } }
`;

const issuesOf = (text: string, variables: Record<string, string> = {}) => {
  try {
    parseConfig(text, '/etc/rex/config.yml', variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
};

interface Row {
  fault: string;
  /** Text of GOOD and what stands there instead. */
  change: [string, string];
  path: string;
  found: string;
  expected: string;
}

const SSH = 'ssh: { user: deploy, private_key: keys/deploy }';
const ROWS: Row[] = [
  {
    fault: 'an unknown key at the top',
    change: ['env: { key: prod }', 'env: { key: prod }\nretires: 3'],
    path: 'retires',
    found: 'the key "retires"',
    expected: 'no such key (see docs/config.md)',
  },
  {
    fault: 'a freeze window without a time to begin',
    change: ['rollout: [server1, server2]', 'freeze: [{ cron: "@daily", duration: 1h, reason: sale }]'],
    path: 'environments.prod.names.server.freeze.0.cron',
    found: '"@daily"',
    expected: 'minute, hour, day, month and weekday as of cron, such as "0 18 * * 5"',
  },
  {
    fault: 'a freeze window that is never open',
    change: ['env: { key: prod }', 'env: { key: prod }\nfreeze: [{ cron: "0 18 * * 5", duration: 0s, reason: sale }]'],
    path: 'freeze.0.duration',
    found: '"0s"',
    expected: 'at least 1s',
  },
  {
    fault: 'notifications, which come later',
    change: ['env: { key: prod }', 'env: { key: prod }\nnotify: [{ type: wecom }]'],
    path: 'notify.0',
    found: '{"type":"wecom"}',
    expected: 'nothing: notifications are not part of this version',
  },
  {
    fault: 'no environments',
    change: [GOOD, 'env: { key: prod }'],
    path: 'environments',
    found: 'nothing',
    expected: 'a mapping of keys',
  },
  {
    fault: 'an empty file',
    change: [GOOD, ''],
    path: '(file)',
    found: 'expected a document, but the input is empty',
    expected: 'YAML',
  },
  {
    fault: 'an environment of its own that is not there',
    change: ['env: { key: prod }', 'env: { key: live }'],
    path: 'env.key',
    found: '"live"',
    expected: 'one of prod, uat',
  },
  {
    fault: 'a number out of bounds',
    change: ['env: { key: prod }', 'env: { key: prod }\napi: { port: 70000 }'],
    path: 'api.port',
    found: '70000',
    expected: 'at most 65535',
  },
  {
    fault: 'a text where a number belongs',
    change: ['env: { key: prod }', 'env: { key: prod }\nworker: { concurrency: many }'],
    path: 'worker.concurrency',
    found: '"many"',
    expected: 'a whole number from 1 to 256',
  },
  {
    fault: 'a duration without a unit',
    change: ['{ url: "http://{host}:6080/health" }', '{ url: "http://{host}:6080/health", delay: "5" }'],
    path: 'environments.prod.names.server.health.delay',
    found: '"5"',
    expected: 'a duration such as 500ms, 5s or 10m',
  },
  {
    fault: 'a size that is none',
    change: ['env: { key: prod }', 'env: { key: prod }\npackages: { max_bytes: lots }'],
    path: 'packages.max_bytes',
    found: '"lots"',
    expected: 'a size such as 4GiB',
  },
  {
    fault: 'a time zone that does not exist',
    change: ['env: { key: prod }', 'env: { key: prod }\ntimezone: Asia/Nowhere'],
    path: 'timezone',
    found: '"Asia/Nowhere"',
    expected: 'a time zone such as Asia/Shanghai',
  },
  {
    fault: 'a Redis address of another kind',
    change: ['env: { key: prod }', 'env: { key: prod }\nredis: { url: "http://redis" }'],
    path: 'redis.url',
    found: '"http://redis"',
    expected: 'redis://… or rediss://…, or nothing',
  },
  {
    fault: 'a source environment that does not exist',
    change: ['allow_senv: [uat]', 'allow_senv: [uta]'],
    path: 'environments.prod.allow_senv',
    found: '"uta"',
    expected: 'an environment of this file',
  },
  {
    fault: 'an environment that is its own source',
    change: ['allow_senv: [uat]', 'allow_senv: [prod]'],
    path: 'environments.prod.allow_senv',
    found: '"prod"',
    expected: 'another environment than itself',
  },
  {
    fault: 'a batch that names no instance',
    change: ['rollout: [server1, server2]', 'rollout: [server1, server2 server3]'],
    path: 'environments.prod.names.server.rollout.1',
    found: '"server3", which is no instance',
    expected: 'one of server1, server2',
  },
  {
    fault: 'an instance in two batches',
    change: ['rollout: [server1, server2]', 'rollout: [server1, server2 server1]'],
    path: 'environments.prod.names.server.rollout.1',
    found: '"server1" again',
    expected: 'each instance exactly once',
  },
  {
    fault: 'an instance in no batch',
    change: ['rollout: [server1, server2]', 'rollout: [server1]'],
    path: 'environments.prod.names.server.rollout',
    found: 'no batch with server2',
    expected: 'each instance exactly once',
  },
  {
    fault: 'two instances in one directory of one host',
    change: ['{ host: h2, program_dir: /data/www/html2 }', '{ host: h1, program_dir: /data/www/html1 }'],
    path: 'environments.prod.names.server.instances.server2',
    found: 'h1:/data/www/html1, which server1 uses',
    expected: 'a directory of its own',
  },
  {
    fault: 'a configuration inside of the program',
    change: ['/data/www/config1', '/data/www/html1/conf'],
    path: 'environments.prod.names.server.instances.server1.config_dir',
    found: '/data/www/html1/conf, which lies in the program_dir of server1',
    expected: 'a directory outside of /data/www/html1',
  },
  {
    fault: 'a program inside of the configuration of another one on its host',
    change: ['{ host: h2, program_dir: /data/www/html2 }', '{ host: H1, program_dir: /data/www/config1/app }'],
    path: 'environments.prod.names.server.instances.server2.program_dir',
    found: '/data/www/config1/app, which lies in the config_dir of server1',
    expected: 'a directory outside of /data/www/config1',
  },
  {
    fault: 'a directory that is named like a release of another one',
    change: [
      '{ host: h2, program_dir: /data/www/html2 }',
      '{ host: h1, program_dir: /data/www/html1_20180521_043510 }',
    ],
    path: 'environments.prod.names.server.instances.server2.program_dir',
    found: '/data/www/html1_20180521_043510, named like a release of /data/www/html1 (server1)',
    expected: 'another name',
  },
  {
    fault: 'a directory inside of what is named like a release of another one',
    change: ['/data/www/config1', '/data/www/html1_20180521_043510_before/conf'],
    path: 'environments.prod.names.server.instances.server1.config_dir',
    found:
      '/data/www/html1_20180521_043510_before/conf, which lies in what is named like a release of /data/www/html1 (server1)',
    expected: 'another name',
  },
  {
    fault: 'a directory that is named like the shared entries of another one',
    change: ['/data/www/config1', '/data/www/html1_shared'],
    path: 'environments.prod.names.server.instances.server1.config_dir',
    found: '/data/www/html1_shared, named like the shared entries of /data/www/html1 (server1)',
    expected: 'another name',
  },
  {
    fault: 'a merged configuration that lies beside the program',
    change: ['config_dir: /data/www/config1', 'config_dir: /data/www/config1, is_deloy_dir: 1'],
    path: 'environments.prod.names.server.instances.server1.config_dir',
    found: '/data/www/config1',
    expected: 'a directory inside /data/www/html1, because is_deloy_dir is 1',
  },
  {
    fault: 'a merged configuration that is nowhere',
    change: ['program_dir: /data/www/html2', 'program_dir: /data/www/html2, is_deloy_dir: "1"'],
    path: 'environments.prod.names.server.instances.server2.config_dir',
    found: 'nothing',
    expected: 'a directory inside /data/www/html2, because is_deloy_dir is 1',
  },
  {
    fault: 'a directory in our own folder',
    change: ['/data/www/config1', '/data/www/.rexdeploy/config1'],
    path: 'environments.prod.names.server.instances.server1.config_dir',
    found: '/data/www/.rexdeploy/config1, which lies in a folder .rexdeploy',
    expected: 'a directory outside of it',
  },
  {
    fault: 'a lock too short for a busy worker',
    change: ['env: { key: prod }', 'env: { key: prod }\nworker: { lock: 500ms, stalled_check: 200ms }'],
    path: 'worker.lock',
    found: '"500ms"',
    expected: 'at least 1s',
  },
  {
    fault: 'a look for lost deployments that never rests',
    change: ['env: { key: prod }', 'env: { key: prod }\nworker: { stalled_check: 0s }'],
    path: 'worker.stalled_check',
    found: '"0s"',
    expected: 'at least 100ms',
  },
  {
    fault: 'a look for lost deployments that is rarer than their locks end',
    change: ['env: { key: prod }', 'env: { key: prod }\nworker: { lock: 2s }'],
    path: 'worker.stalled_check',
    found: 'nothing',
    expected: 'at most the 2000ms of worker.lock; it is 5000ms',
  },
  {
    fault: 'an instance without a directory',
    change: ['{ host: h2, program_dir: /data/www/html2 }', '{ host: h2 }'],
    path: 'environments.prod.names.server.instances.server2.program_dir',
    found: 'nothing',
    expected: 'a string',
  },
  {
    fault: 'a directory that climbs',
    change: ['/data/www/html2', '/data/../etc'],
    path: 'environments.prod.names.server.instances.server2.program_dir',
    found: '"/data/../etc"',
    expected: 'an absolute path without ".", "..", "//" or a trailing "/"',
  },
  {
    fault: 'a name that no file could be called',
    change: ['      server:\n', '      "ser/ver":\n'],
    path: 'environments.prod.names.ser/ver',
    found: 'the key "ser/ver"',
    expected: 'letters, digits, "_", "." or "-", at most 64 characters, beginning with a letter or digit',
  },
  {
    fault: 'no way to log in',
    change: [SSH, 'ssh: { user: deploy }'],
    path: 'environments.prod.ssh',
    found: 'no way to log in',
    expected: 'private_key, password or agent',
  },
  {
    fault: 'a misspelt key of an inherited section',
    change: [SSH, 'ssh: { usr: deploy, private_key: keys/deploy }'],
    path: 'environments.prod.ssh.usr',
    found: 'the key "usr"',
    expected: 'no such key (see docs/config.md)',
  },
  {
    fault: 'a jump host without its name',
    change: [SSH, 'ssh: { private_key: keys/deploy, jump: { port: 22 } }'],
    path: 'environments.prod.ssh.jump.host',
    found: 'nothing',
    expected: 'a text',
  },
  {
    fault: 'a misspelt key of a jump host, in a list',
    change: [SSH, 'ssh: { private_key: keys/deploy, jump: [{ host: gate }, { host: inner, pot: 22 }] }'],
    path: 'environments.prod.ssh.jump.1.pot',
    found: 'the key "pot"',
    expected: 'no such key (see docs/config.md)',
  },
  {
    fault: 'a password of a jump host in the file',
    change: [SSH, 'ssh: { private_key: keys/deploy, jump: { host: gate, password: secret } }'],
    path: 'environments.prod.ssh.jump.password',
    found: 'a secret in the file',
    expected: '"${VARIABLE}", from the environment',
  },
  {
    fault: 'a password in the file',
    change: [SSH, 'ssh: { user: deploy, password: secret }'],
    path: 'environments.prod.ssh.password',
    found: 'a secret in the file',
    expected: '"${VARIABLE}", from the environment',
  },
  {
    fault: 'a variable that is not set',
    change: ['host: h2', 'host: "${HOST2}"'],
    path: 'environments.prod.names.server.instances.server2.host',
    found: '${HOST2}, which is not set',
    expected: 'the environment variable HOST2, or ${HOST2:-default}',
  },
  {
    fault: 'a balancer without its file',
    change: [SSH, `${SSH}\n    balancer: { type: nginx, host: lb1 }`],
    path: 'environments.prod.balancer.upstream_file',
    found: 'nothing',
    expected: 'a string',
  },
  {
    fault: 'a health address of another kind',
    change: ['http://{host}:6080/health', 'ftp://{host}/'],
    path: 'environments.prod.names.server.health.url',
    found: '"ftp://{host}/"',
    expected: 'an http or https address',
  },
];

describe('a fault of the config is told by its path, what was found and what belongs there', () => {
  test.for(ROWS)('$fault', ({ change: [from, to], path, found, expected }) => {
    expect(GOOD).toContain(from);
    expect(issuesOf(GOOD.replace(from, () => to))).toContainEqual({ path, found, expected });
  });

  test('malformed YAML, by its line', () => {
    const [issue] = issuesOf(`${GOOD}\n  : [`);
    expect(issue?.path).toMatch(/^line \d+, column \d+$/);
    expect(issue?.expected).toBe('YAML');
  });

  test('a key that is given twice, by its line', () => {
    const [issue] = issuesOf(GOOD.replace('          server2:', '          server1:'));
    expect(issue).toMatchObject({
      path: expect.stringMatching(/^line \d+/),
      found: expect.stringContaining('duplicat'),
    });
  });

  test('all faults come at once', () => {
    const broken = GOOD.replace('[server1, server2]', '[server1]')
      .replace('[uat]', '[uta]')
      .replace(/key: prod/, 'key: x');
    expect(issuesOf(broken).map((issue) => issue.path)).toEqual(
      expect.arrayContaining(['env.key', 'environments.prod.allow_senv', 'environments.prod.names.server.rollout']),
    );
  });

  test('directories that only look alike are no fault', () => {
    const text = GOOD.replace('/data/www/config1', '/data/www/html1_config').replace(
      '/data/www/html2',
      '/data/www/html1_2018',
    );
    expect(issuesOf(text.replace('host: h2', 'host: h1'))).toEqual([]);
    const merged = 'config_dir: /data/www/html1/WEB-INF/conf, is_deloy_dir: 1';
    expect(issuesOf(GOOD.replace('config_dir: /data/www/config1', merged))).toEqual([]);
    // The same on another host.
    expect(issuesOf(GOOD.replace('/data/www/html2', '/data/www/html1/app'))).toEqual([]);
  });

  test('and the file without them is taken', () => {
    expect(issuesOf(GOOD)).toEqual([]);
  });
});

describe('config.yml of the root', () => {
  const sample = (variables: Record<string, string>) =>
    parseConfig(read('config.yml'), '/srv/rex/config.yml', variables);

  test('passes with nothing in the environment', () => {
    const config = sample({});
    expect(config.own.names.get('server')?.batches).toEqual([['server1'], ['server2']]);
    expect(config).toMatchObject({
      dataDir: '/srv/rex/data',
      redis: { url: '' },
      api: { host: '127.0.0.1', port: 3000 },
    });
  });

  test('takes its places from the environment, as the containers need it', () => {
    const config = sample({
      REDIS_URL: 'redis://redis:6379',
      REX_DATA_DIR: '/data',
      REX_API_PORT: '8080',
      REX_ENV: 'uat',
    });
    expect(config).toMatchObject({ dataDir: '/data', redis: { url: 'redis://redis:6379' }, api: { port: 8080 } });
    expect(config.own.key).toBe('uat');
  });

  test('holds only keys that the JSON Schema has', () => {
    const known = new Set(keysOf(configJsonSchema()).keys());
    const used = keysIn(load(read('config.yml')), configJsonSchema(), '');
    expect(used.length).toBeGreaterThan(30);
    expect(used.filter((key) => !known.has(key))).toEqual([]);
  });
});

describe('docs/config.md', () => {
  const documented = documentedKeys(read('docs/config.md'));
  const schema = keysOf(configJsonSchema());

  test('explains every key, and no key that does not exist', () => {
    expect([...documented.keys()].sort()).toEqual([...schema.keys()].sort());
  });

  test('tells every default as it is', () => {
    const told = [...documented]
      .filter(([, cell]) => cell.startsWith('`'))
      .map(([key, cell]) => [key, cell.slice(1, -1)]);
    const real = [...schema].filter(([, value]) => value !== undefined).map(([key, value]) => [key, shown(value)]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(real));
  });
});

const shown = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : JSON.stringify(value));

/** Dotted path of every key, `*` for keys of one's own, with its default; the shared sections under their own name. */
function keysOf(schema: JsonSchema): Map<string, unknown> {
  const keys = new Map<string, unknown>();
  const visit = (node: JsonSchema, path: string): void => {
    for (const [key, property] of Object.entries(node.properties ?? {}))
      visit(property, path === '' ? key : `${path}.${key}`);
    if (typeof node.additionalProperties === 'object') visit(node.additionalProperties, `${path}.*`);
    const isLeaf = node.properties === undefined && node.additionalProperties === undefined;
    for (const alternative of node.anyOf ?? []) if (alternative.properties) visit(alternative, path);
    if (isLeaf && node.$defs === undefined && path !== '' && !path.endsWith('.*') && !SECTIONS.has(path))
      keys.set(path, node.default);
  };
  visit(schema, '');
  for (const [name, section] of Object.entries(schema.$defs ?? {})) visit(section, name);
  return keys;
}
const SECTIONS = new Set(['ssh', 'balancer', 'health']);

/** The same paths for what stands in a document. */
function keysIn(node: unknown, schema: JsonSchema, path: string): string[] {
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return [path];
  return Object.entries(node).flatMap(([key, value]) => {
    const property = schema.properties?.[key];
    if (property?.$ref !== undefined) return Object.keys(value ?? {}).map((inner) => `${key}.${inner}`);
    if (property !== undefined) return keysIn(value, property, path === '' ? key : `${path}.${key}`);
    if (typeof schema.additionalProperties === 'object') return keysIn(value, schema.additionalProperties, `${path}.*`);
    return [`${path}.${key}`];
  });
}

/** Key → default cell of every row; the heading above gives the path. */
function documentedKeys(markdown: string): Map<string, string> {
  const keys = new Map<string, string>();
  let section = '';
  for (const line of markdown.split('\n')) {
    const heading = /^## (.*)$/.exec(line)?.[1];
    if (heading !== undefined) section = /^`(.+)`$/.exec(heading)?.[1] ?? '';
    const [, key, value] = /^\| `([\w.]+)` +\| [^|]* \| ([^|]*) \|/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) keys.set(section === '' ? key : `${section}.${key}`, value.trim());
  }
  return keys;
}
