import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '@rexdeploy/shared/config/load';
import { expect, test } from 'vitest';
import { rexInFolder } from './support/rex.js';

/** `rex import`: an inventory of the original as a config.yml. */

const cli = rexInFolder();
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/original/${name}`, import.meta.url));
const SET = { SERVER1_HEADER_AUTHORIZATION: 'Bearer x' };

test('a mysqldump becomes a config.yml that rex config check takes, with all that is lost by name', async () => {
  const words = ['import', fixture('autotask.sql'), '--config', fixture('config.yml'), '-o', 'config.yml'];
  const done = await cli.rex(words, SET);
  expect(done.code, done.stderr).toBe(0);
  const checked = await cli.rex(['config', 'check'], SET);
  expect(checked.code, checked.stderr).toBe(0);

  const text = readFileSync(join(cli.dir, 'config.yml'), 'utf8');
  const { own } = parseConfig(text, '/etc/rex/config.yml', SET);
  expect(own).toMatchObject({ key: 'prod', desc: '生产环境' });
  const server = own.names.get('server');
  expect(server?.batches).toEqual([['server1'], ['server2']]);
  expect(server?.instances.get('server1')).toMatchObject({
    host: '192.168.0.76',
    programDir: '/data/www/html1',
    configDir: '/data/www/config1',
    service: '/etc/init.d/tomcat-server1',
    process: 'tomcat-server1',
    log: '/data/log/server1/*.log',
    ssh: { user: 'deploy', privateKey: '/etc/rex/keys/autotask' },
    health: {
      url: "http://{host}:6080/health?q=it's",
      status: 200,
      contains: 'OK',
      headers: { 'X-Site': 'prod', Authorization: 'Bearer x' },
      delay: 10_000,
      attempts: 5,
    },
  });
  expect(server?.instances.get('server2')).toMatchObject({ programDir: '/data/www/html2' });
  const flow = own.names.get('flow')?.instances.get('flow1');
  expect(flow).toMatchObject({ configInside: 'WEB-INF/classes', health: { kind: 'command' } });
  expect(flow?.health?.command).toContain(`-d '{"cmd":"uptime"}'`);
  expect(own.names.get('static')?.instances.get('static1')).toMatchObject({ service: undefined, process: undefined });
  expect([...own.names.keys()]).toEqual(['server', 'flow', 'static']);

  for (const lost of [
    'row 3 of pre_server_detail (app_key "server3"): auto_deloy is 0',
    'row 6 of pre_server_detail (app_key "server1"): the same app_key stands in an earlier row',
    'a row of pre_server_detail was not read: 3 values for 25 columns',
    'row 1 of load_key_sorts (local_name "server"): server9 is no instance',
    'row 3 of load_key_sorts (local_name "server"): an earlier row has the batches',
    'row 4 of load_key_sorts (local_name "ghost")',
    'table pre_deploy_manage: 2 rows',
    'column checkdir: ',
    'column weight: ',
    'column cpu: only descriptive, no counterpart (3 rows: "4核", "8核")',
    'column password: only descriptive, no counterpart (1 rows: (not written: it may be a secret))',
    'server: balancer is to be filled in (loadBalancerId lb-0101010101, lb-0202020202)',
    'static1: is_restart_status is 1',
    'flow1: the check posts a body: carried over as a command with curl',
    'config prod.service_start_retry: no counterpart; was "5"',
  ]) {
    expect(done.stderr).toContain(`not carried over: ${lost}`);
    expect(text.split('\n').find((line) => line.includes(lost))).toMatch(/^\s*#/);
  }
  for (const secret of ['hunter', 'Bearer-abc']) expect(text + done.stderr).not.toContain(secret);

  const again = await cli.rex(words, SET);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('config.yml: is there already');
});

test('JSON rows do as well, on stdout; what is to be filled in or mended is said', async () => {
  const row = {
    app_key: 's1',
    local_name: 'shop',
    network_ip: '10.0.0.1',
    pro_dir: '/srv/shop',
    auto_deloy: 1,
    pro_init: '/etc/init.d/shop',
  };
  const rows = [row, { ...row, app_key: 's2', pro_dir: '/srv/shop/in' }];
  await writeFile(join(cli.dir, 'rows.json'), JSON.stringify({ pre_server_detail: rows }));
  const { code, stdout, stderr } = await cli.rex(['import', 'rows.json', '--env', 'test']);
  expect(code).toBe(0);
  expect(stdout).toContain('\nenv:\n  key: test\n');
  expect(stderr).toContain('not carried over: ssh: user and key are to be filled in');
  expect(stderr).toContain('to be mended: environments.test.names.shop.instances.s2.program_dir: found /srv/shop/in');
});

test('a file without an inventory is refused', async () => {
  await writeFile(join(cli.dir, 'other.sql'), 'INSERT INTO `t` (`a`) VALUES (1);');
  const { code, stderr } = await cli.rex(['import', 'other.sql']);
  expect(code).toBe(2);
  expect(stderr).toContain('holds no rows of pre_server_detail; tables with rows: t');
});
