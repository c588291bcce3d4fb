import { readFileSync } from 'node:fs';
import type { RemoteScript } from '@rexdeploy/ssh/transport';

const read = (file: string): string => readFileSync(new URL(`../../scripts/${file}`, import.meta.url), 'utf8');
const common = read('common.sh');
const load = (name: string): RemoteScript => ({ name, text: `${common}\n${read(`${name}.sh`)}` });
/** Functions for shared entries, put before the scripts that handle them; see shared.sh. */
const withShared = ({ name, text }: RemoteScript): RemoteScript => ({ name, text: `${read('shared.sh')}\n${text}` });
/** Functions for the folder in which a release grows; see partial.sh. */
const withPartial = ({ name, text }: RemoteScript): RemoteScript => ({ name, text: `${read('partial.sh')}\n${text}` });
/** Functions that start and stop an instance; see app.sh. */
const withApp = ({ name, text }: RemoteScript): RemoteScript => ({ name, text: `${read('app.sh')}\n${text}` });
/** Changes something: its own arguments come after those of fence.sh; see fence.ts. */
const guarded = (name: string): RemoteScript => ({
  name,
  text: `${common}\n${read('fence.sh')}\n${read(`${name}.sh`)}`,
});
/** Without the common part: what it defines must not get in the way of a command of the configuration. */
const alone = (name: string): RemoteScript => ({ name, text: read(`${name}.sh`) });

/** The fixed texts that run on hosts; each file's header tells purpose, arguments, answer and exit codes. */
export const scripts = {
  inspect: withShared(load('inspect')),
  lookLock: load('look-lock'),
  listTree: load('list-tree'),
  pack: load('pack'),
  resume: withPartial(guarded('resume')),
  stage: withPartial(withShared(guarded('stage'))),
  unstage: withPartial(guarded('unstage')),
  switch: withApp(withShared(guarded('switch'))),
  service: withApp(guarded('service')),
  standing: load('standing'),
  observe: load('observe'),
  releases: load('releases'),
  linked: load('linked'),
  prove: load('prove'),
  rotation: guarded('rotation'),
  releaseLock: guarded('release-lock'),
  cleanup: guarded('cleanup'),
  nginxTest: load('nginx-test'),
  nginxLook: load('nginx-look'),
  nginxPut: guarded('nginx-put'),
  haproxySend: alone('haproxy-send'),
  haproxySet: guarded('haproxy-send'),
  balancerChange: guarded('balancer-change'),
  balancerCommand: alone('balancer-command'),
  appLog: alone('app-log'),
  healthCommand: alone('health-command'),
  healthUrl: alone('health-url'),
} as const;

const FENCED: ReadonlySet<RemoteScript> = new Set([
  scripts.resume,
  scripts.stage,
  scripts.unstage,
  scripts.switch,
  scripts.service,
  scripts.cleanup,
  scripts.rotation,
  scripts.releaseLock,
  scripts.nginxPut,
  scripts.haproxySet,
  scripts.balancerChange,
]);
export const isFenced = (script: RemoteScript): boolean => FENCED.has(script);
