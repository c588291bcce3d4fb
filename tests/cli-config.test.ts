import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rexInFolder } from './support/rex.js';

const cli = rexInFolder();
const { rex, writeConfig } = cli;

describe('rex config', () => {
  test('check prints the resolved plan of each name of the own environment', async () => {
    await writeConfig({ port: 2222 });
    const { code, stdout } = await rex(['config', 'check']);
    expect(code).toBe(0);
    expect(stdout).toContain('environment prod (live), time zone Asia/Shanghai');
    expect(stdout).toContain('server: server1 → server2');
    expect(stdout).toContain('senv may be: uat');
    expect(stdout).toContain('server1  deploy@web1:2222');
    const plan = JSON.parse((await rex(['config', 'check', '--json'])).stdout);
    expect(plan.names).toHaveLength(1);
    expect(plan.names[0]).toMatchObject({ k: 'server', batches: [['server1'], ['server2']], sources: ['uat'] });
    expect(plan.names[0].instances[0]).toEqual({
      key: 'server1',
      host: 'web1',
      port: 2222,
      user: 'deploy',
      login: `key ${join(cli.dir, 'key')}`,
      known_hosts: join(cli.dir, 'known_hosts'),
      program_dir: '/data/www/html1',
      config_dir: null,
      service: 's1 up | s1 down',
      process: 's1',
      balancer: 'nginx deploy@lb1:2222 /etc/nginx/server.conf',
      health: 'http://web1:6080/server1 answers 200 with "up"',
    });
  });

  test('check never shows a password', async () => {
    await writeConfig({ redis: 'redis://:hidden@redis:6379/1' });
    const { stdout } = await rex(['config', 'check']);
    expect(stdout).toContain('Redis redis://redis:6379/1');
    expect(stdout).not.toContain('hidden');
  });

  test('check tells every fault and ends with 2', async () => {
    await writeFile(join(cli.dir, 'config.yml'), 'env: { key: prod }\nretires: 3\nenvironments: {}\n');
    const { code, stdout, stderr } = await rex(['config', 'check']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('retires: found the key "retires", expected no such key');
    expect(stderr).toContain('environments: found {}, expected at least one environment');
    expect(stderr).not.toContain('    at ');
  });

  test('a config that is not there ends with 2, wherever it was named', async () => {
    expect((await rex(['config', 'check'])).code).toBe(2);
    expect((await rex(['config', 'check', '-c', 'other.yml'])).stderr).toContain('other.yml');
    expect((await rex(['config', 'check'], { REX_CONFIG: 'third.yml' })).stderr).toContain('third.yml');
  });

  test('schema prints a JSON Schema', async () => {
    const schema = JSON.parse((await rex(['config', 'schema'])).stdout);
    expect(schema.properties.worker.properties.lock).toEqual({ type: 'string', default: '15s' });
    expect(schema.$defs.ssh.properties).toHaveProperty('known_hosts');
  });
});
