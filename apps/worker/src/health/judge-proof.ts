import type { ProofAnswer, ProofRow } from './proof-answer.js';

/** What was asked of the host. */
export interface ProofQuestion {
  /** Pattern of the instance's processes; absent = only the port tells which they are. */
  pattern: string | undefined;
  port: number | undefined;
}

/** `proven` by these processes, `disproven`, or neither can be told; `why` is for people. */
export type Verdict =
  | { kind: 'proven'; by: ProofRow[]; why: string }
  | { kind: 'disproven'; why: string }
  | { kind: 'open'; why: string };

/**
 * Is it the wanted release that runs and answers? One process at least must show that, and none may show another
 * release; whoever listens on the port must be one of those that show it, or come from one.
 */
export function judgeProof(question: ProofQuestion, answer: ProofAnswer): Verdict {
  const { rows } = answer;
  const wrong = rows.find(({ shows }) => shows === 'other');
  if (wrong !== undefined) return disproven(`${name(wrong, question)} runs from another release: ${wrong.evidence}`);
  const own = question.pattern === undefined ? rows : rows.filter(({ matches }) => matches);
  if (question.pattern !== undefined && own.length === 0)
    return disproven(`no process matches "${question.pattern}" any more`);
  const by = own.filter(isGood);
  if (by.length > 0) return judgePort(question, answer, by) ?? { kind: 'proven', by, why: by.map(reason).join(', ') };
  const old = own.find(({ age }) => age === 'old');
  if (old === undefined) return open(untold(question, answer));
  const why = 'was started before the switch, and nothing shows that it runs from the release';
  return disproven(`${name(old, question)} ${why}`);
}

const disproven = (why: string): Verdict => ({ kind: 'disproven', why });
const open = (why: string): Verdict => ({ kind: 'open', why });

/** A directory or an argument tells most; where none does, the time of the start has to. */
const isGood = ({ shows, age }: ProofRow): boolean => shows === 'release' || (shows === 'nothing' && age === 'new');

function untold(question: ProofQuestion, answer: ProofAnswer): string {
  if (answer.rows.length === 0) return unseenPort(question, answer);
  return 'when its processes were started is not known, nor do they show a release';
}

/** What speaks against those who listen on the port; undefined when nothing does. */
function judgePort(question: ProofQuestion, answer: ProofAnswer, by: readonly ProofRow[]): Verdict | undefined {
  if (question.port === undefined) return undefined;
  const listeners = answer.rows.filter(({ listens }) => listens);
  const good = new Set(by.map(({ pid }) => pid));
  if (listeners.some((row) => isGood(row) || row.parents.some((pid) => good.has(pid)))) return undefined;
  const own = listeners.find(({ matches, age }) => age === 'old' && matches);
  if (own !== undefined) return disproven(`${name(own, question)} was started before the switch`);
  const [stranger] = listeners;
  // Such as a proxy in front of the instance, whose own processes have been found good.
  if (stranger !== undefined) return open(`${name(stranger, question)} is none of its processes`);
  return open(unseenPort(question, answer));
}

const unseenPort = ({ port }: ProofQuestion, { sockets, user }: ProofAnswer): string =>
  sockets === 0
    ? `no process on the host listens on port ${port}`
    : `${user} may not see which process listens on port ${port}`;

function reason({ pid, shows, evidence }: ProofRow): string {
  return `${pid} (${shows === 'release' ? evidence : 'started after the switch'})`;
}

function name({ pid, cwd, command, listens }: ProofRow, { port }: ProofQuestion): string {
  const where = cwd === '' ? 'working directory not to be read' : `working directory ${cwd}`;
  return `process ${pid}${listens ? `, which listens on port ${port}` : ''} (${where}; ${concealed(command.trim())})`;
}

/** A command line stands in journals and answers now, where its secrets must not. */
const concealed = (command: string): string =>
  command.replaceAll(/([\w.-]*(?:pass|secret|token|credential|key)[\w.-]*[= ]+)\S+/gi, '$1…');
