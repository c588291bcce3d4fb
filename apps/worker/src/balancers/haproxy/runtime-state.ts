/** Answers of HAProxy's runtime API: `show servers state` and `show stat`. */

export interface ServerState {
  name: string;
  address: string;
  /** The name in HAProxy's own configuration, where that is none of an address. */
  fqdn: string | undefined;
  port: number;
  state: AdminState;
  weight: number;
  /** What its check says; undefined without a check. */
  up: boolean | undefined;
}

export type AdminState = 'ready' | 'drain' | 'maint';

export interface RuntimeState {
  servers: ServerState[];
  /** Sessions that run now, by server. */
  sessions: Map<string, number>;
  /** Everything else: what HAProxy says about a command it does not accept. */
  complaint: string;
}

/** Bits of `srv_admin_state`: forced, inherited or configured maintenance, a name that does not resolve. */
const MAINT_BITS = 0x01 | 0x02 | 0x04 | 0x20 | 0x40;
const DRAIN_BITS = 0x08 | 0x10;
/** `srv_op_state` of a server that is down. */
const STOPPED = 0;
/** Bit of `srv_check_state`: the check is on. */
const CHECK_ENABLED = 0x04;

/** Reads any sequence of such answers. Columns are found by their headings, so that a version may add some. */
export function parseRuntime(text: string): RuntimeState {
  const runtime: RuntimeState = { servers: [], sessions: new Map(), complaint: '' };
  const complaints: string[] = [];
  let read: ((line: string) => void) | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') read = undefined;
    else if (line.startsWith('# be_id ')) read = serverReader(line, runtime.servers);
    else if (line.startsWith('# pxname,')) read = sessionReader(line, runtime.sessions);
    else if (read !== undefined) read(line);
    // A lone 1 is the version of the format that follows.
    else if (line !== '1') complaints.push(line);
  }
  runtime.complaint = complaints.join(' ');
  return runtime;
}

function serverReader(heading: string, servers: ServerState[]): (line: string) => void {
  const columns = heading.slice(2).split(' ');
  return (line) => {
    const values = line.split(' ');
    const value = (column: string): string => values[columns.indexOf(column)] ?? '';
    const admin = Number(value('srv_admin_state'));
    const fqdn = value('srv_fqdn');
    servers.push({
      name: value('srv_name'),
      address: value('srv_addr'),
      fqdn: fqdn === '-' || fqdn === '' ? undefined : fqdn,
      port: Number(value('srv_port')),
      state: (admin & MAINT_BITS) !== 0 ? 'maint' : (admin & DRAIN_BITS) !== 0 ? 'drain' : 'ready',
      weight: Number(value('srv_uweight')),
      up: isChecked(value) ? Number(value('srv_op_state')) !== STOPPED : undefined,
    });
  };
}

const isChecked = (value: (column: string) => string): boolean =>
  ['srv_check_state', 'srv_agent_state'].some((column) => (Number(value(column)) & CHECK_ENABLED) !== 0);

function sessionReader(heading: string, sessions: Map<string, number>): (line: string) => void {
  const columns = heading.slice(2).split(',');
  const [name, current] = [columns.indexOf('svname'), columns.indexOf('scur')];
  return (line) => {
    const values = line.split(',');
    sessions.set(values[name] ?? '', Number(values[current] ?? ''));
  };
}

const EXACT = /^(ready|drain|maint) weight=(\d+)/;

/** State and weight as the journal keeps them: `ready weight=7`, with `down` behind it where its check said so. */
export const exactOf = ({ state, weight, up }: Pick<ServerState, 'state' | 'weight' | 'up'>): string =>
  `${state} weight=${weight}${up === false && state !== 'maint' ? ' down' : ''}`;

/** Reads it back; undefined when it is none. */
export function parseExact(exact: string): { state: AdminState; weight: number; down: boolean } | undefined {
  const match = EXACT.exec(exact);
  if (match === null) return undefined;
  return { state: match[1] as AdminState, weight: Number(match[2]), down: exact.endsWith(' down') };
}
