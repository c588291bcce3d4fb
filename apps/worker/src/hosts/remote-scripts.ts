import { readFileSync } from 'node:fs';
import type { RemoteScript } from '@rexdeploy/ssh/transport';

const read = (file: string): string => readFileSync(new URL(`../../scripts/${file}`, import.meta.url), 'utf8');
const common = read('common.sh');
const load = (name: string): RemoteScript => ({ name, text: `${common}\n${read(`${name}.sh`)}` });

/** The fixed texts that run on hosts; each file's header tells purpose, arguments, answer and exit codes. */
export const scripts = {
  inspect: load('inspect'),
  listTree: load('list-tree'),
  pack: load('pack'),
  stage: load('stage'),
  unstage: load('unstage'),
  switch: load('switch'),
  observe: load('observe'),
  cleanup: load('cleanup'),
  nginxLook: load('nginx-look'),
  nginxPut: load('nginx-put'),
} as const;
