import { envelopeSchema, type Leaves } from '@rexdeploy/shared/api/envelope-schema';
import { Agent, request } from 'undici';
import { configOf } from '../config-of.js';
import { findTarget } from '../server.js';
import type { Candidate, FindValues, LineSoFar } from './candidates.js';

/** Whoever presses Tab waits for it. */
const TIMEOUT_MS = 700;
/** As many as one still reads. */
const JOBS = 30;
const LIVE = new Set(['queued', 'running', 'held']);

/**
 * Asks the API, quickly and silently: without token, address, right or answer nothing is offered, and nothing is said.
 * That is no fault here, since the command itself will tell.
 */
export const findValues: FindValues = async (what, line) => {
  try {
    switch (what) {
      case 'name':
        return namesAndInstances(await ask(line, '/names'));
      case 'instance':
        return (await ask(line, '/names')).filter(isOfName(line)).flatMap(instances);
      case 'job':
        return (await ask(line, `/jobs?limit=${JOBS}`)).map(job);
      case 'live-job':
        return (await ask(line, `/jobs?limit=${JOBS}`)).filter((row) => LIVE.has(text(row, 'state'))).map(job);
      case 'package':
        return (await ask(line, `/packages${ofName(line)}`)).map((row) =>
          candidate(text(row, 'package'), row, 'created_at'),
        );
      case 'release':
        return await releases(line);
      case 'environment':
        return configOf(line.command).own.allowSenv.map((value) => ({ value, about: '' }));
      case 'host':
        return hosts(line);
    }
  } catch {
    return [];
  }
};

async function ask(line: LineSoFar, path: string): Promise<Leaves[]> {
  const { server, token } = findTarget(line.command, {
    server: line.options.get('server'),
    token: line.options.get('token'),
  });
  const dispatcher = new Agent();
  try {
    const { statusCode, body } = await request(`${server.href.replace(/\/$/, '')}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      dispatcher,
    });
    const answer = envelopeSchema.parse(await body.json());
    return statusCode === 200 ? Object.values(children(answer.data.data)) : [];
  } finally {
    await dispatcher.destroy();
  }
}

const namesAndInstances = (rows: readonly Leaves[]): Candidate[] => [
  ...rows.map((row) => candidate(text(row, 'k'), row, 'desc')),
  ...rows.flatMap(instances),
];

const instances = (row: Leaves): Candidate[] =>
  Object.values(children(children(row).instances)).map((each) => candidate(text(each, 'instance'), each, 'host'));

const isOfName =
  (line: LineSoFar) =>
  (row: Leaves): boolean => {
    const k = line.options.get('k');
    return k === undefined || text(row, 'k') === k;
  };

const ofName = (line: LineSoFar): string => {
  const k = line.options.get('k');
  return k === undefined ? '' : `?k=${encodeURIComponent(k)}`;
};

const job = (row: Leaves): Candidate => ({
  value: text(row, 'id'),
  about: `${text(row, 'state')} ${text(row, 'action')} ${text(row, 'k')} ${text(row, 'created_at')}`,
});

/** Releases that instances of the name are known to run or to have run, by stamp. */
async function releases(line: LineSoFar): Promise<Candidate[]> {
  const words = line.command.name() === 'converge' ? ['newest', 'former'] : [];
  const k = line.options.get('k');
  const rows = k === undefined ? [] : await ask(line, `/names/${encodeURIComponent(k)}`);
  const stamps = rows.flatMap((row) => Object.values(children(row)).flatMap(stampsIn));
  const found = [...new Set(stamps)].sort().reverse();
  return [...words, ...found].map((value) => ({ value, about: '' }));
}

const stampsIn = (leaf: Leaves): string[] =>
  typeof leaf === 'string' ? [...leaf.matchAll(/(?:^|_)(\d{8}_\d{6})(?:$|\s)/g)].map((match) => match[1] ?? '') : [];

function hosts(line: LineSoFar): Candidate[] {
  const all = [...configOf(line.command).environments.values()]
    .flatMap((environment) => [...environment.names.values()])
    .flatMap((name) => [...name.instances.values()]);
  return [...new Map(all.map(({ host, key }) => [host, { value: host, about: key }])).values()];
}

const children = (node: Leaves | undefined): Record<string, Leaves> => (typeof node === 'object' ? node : {});
const text = (row: Leaves, key: string): string => {
  const leaf = children(row)[key];
  return typeof leaf === 'string' ? leaf : '';
};
const candidate = (value: string, row: Leaves, about: string): Candidate => ({ value, about: text(row, about) });
