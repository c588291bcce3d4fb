import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, runCommand } from '@rexdeploy/sandbox/command';
import { afterEach, beforeEach } from 'vitest';

const REX = fileURLToPath(new URL('../../apps/cli/bin/rex.js', import.meta.url));

export interface RexConfig {
  redis?: string;
  host?: string;
  port?: number;
  known?: string;
}

/** The real `rex` command and the folder that it runs in. */
export interface Rex {
  readonly dir: string;
  /** Nothing of the environment of the tests leads it astray. */
  rex(words: string[], env?: Record<string, string>, input?: string): Promise<CommandResult>;
  /** Writes a config.yml into the folder. */
  writeConfig(settings?: RexConfig): Promise<void>;
}

/** Gives each test of a file a folder of its own to run `rex` in. */
export function rexInFolder(): Rex {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rex-cli-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));
  return {
    get dir() {
      return dir;
    },
    rex(words, env = {}, input) {
      const { REX_CONFIG: _, REX_SERVER: __, REX_TOKEN: ___, REX_ENV: ____, ...rest } = process.env;
      return runCommand(process.execPath, [REX, ...words], {
        cwd: dir,
        ...(input === undefined ? {} : { input }),
        env: { ...rest, XDG_CONFIG_HOME: join(dir, '.config'), ...env },
      });
    },
    writeConfig: (settings = {}) => writeFile(join(dir, 'config.yml'), configText(settings)),
  };
}

function configText({ redis = '', host = 'web1', port = 22, known = 'known_hosts' }: RexConfig): string {
  return `env: { key: prod }
timezone: Asia/Shanghai
redis: { url: "${redis}" }
api: { port: 0 }
environments:
  prod:
    desc: live
    allow_senv: [uat]
    ssh: { user: deploy, port: ${port}, private_key: key, known_hosts: ${known} }
    names:
      server:
        balancer: { type: nginx, host: lb1, upstream_file: /etc/nginx/server.conf }
        health: { url: "http://{host}:6080/{instance}", contains: up }
        instances:
          server1: { host: "${host}", program_dir: /data/www/html1, service: { start: s1 up, stop: s1 down }, process: s1 }
          server2: { host: web2, program_dir: /data/www/html2, config_dir: /data/www/config2 }
  uat:
    ssh: { user: deploy, private_key: key }
    names: { server: { instances: { server1: { host: "${host}", program_dir: /srv/html } } } }
`;
}
