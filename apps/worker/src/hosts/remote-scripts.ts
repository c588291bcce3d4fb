import { readFileSync } from 'node:fs';
import type { RemoteScript } from '@rexdeploy/ssh/transport';

const read = (file: string): string => readFileSync(new URL(`../../scripts/${file}`, import.meta.url), 'utf8');
const common = read('common.sh');
const load = (name: string): RemoteScript => ({ name, text: `${common}\n${read(`${name}.sh`)}` });
/** Functions for shared entries, put before the scripts that handle them; see shared.sh. */
const withShared = ({ name, text }: RemoteScript): RemoteScript => ({ name, text: `${read('shared.sh')}\n${text}` });
/** Without the common part: what it defines must not get in the way of a command of the configuration. */
const alone = (name: string): RemoteScript => ({ name, text: read(`${name}.sh`) });

/** The fixed texts that run on hosts; each file's header tells purpose, arguments, answer and exit codes. */
export const scripts = {
  inspect: load('inspect'),
  listTree: load('list-tree'),
  pack: load('pack'),
  stage: withShared(load('stage')),
  unstage: load('unstage'),
  switch: withShared(load('switch')),
  observe: load('observe'),
  cleanup: load('cleanup'),
  nginxLook: load('nginx-look'),
  nginxPut: load('nginx-put'),
  haproxySend: alone('haproxy-send'),
  balancerCommand: alone('balancer-command'),
  appLog: alone('app-log'),
  healthCommand: alone('health-command'),
  healthUrl: alone('health-url'),
} as const;
