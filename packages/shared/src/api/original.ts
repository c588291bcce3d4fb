import { messages } from '../errors/messages.js';
import type { Envelope, Leaves } from './envelope-schema.js';

/**
 * The same answer with the types that the original really sent (`api.envelope: original`): arrays for lists, numbers where
 * it sent numbers, `null` for what is absent, keys in alphabetical order. `job`, which it did not have, keeps its texts.
 * What differs on purpose stands in docs/original-envelope.md.
 */

export type Json = string | number | null | Json[] | { [key: string]: Json };

/** What was wrong with a token, as far as the original told it. */
export interface RefusedToken {
  state: 'absent' | 'unknown' | 'expired';
  /** Masked. */
  shown?: string | undefined;
  /** Of an expired one: seconds since 1970 when it was made, and for how many it was good. */
  timestamp?: number | undefined;
  expire?: number | undefined;
}

/** Why there is no data. */
export interface Refusal {
  status: number;
  token?: RefusedToken | undefined;
}

/** Keys of `data` whose values the original sent as numbers; what is no number stays text. */
const NUMBERS: ReadonlySet<string> = new Set([
  'code',
  'count',
  'status',
  'is_restart_status',
  'weight',
  'rollRecord',
  'rollStatus',
  'rollbackNumber',
  'config_dir',
  'pro_dir',
  'pro_init',
  'backendSetLen',
  'instanceStatus',
  'loadBalancerIdLength',
  'totalCount',
]);
/** Keys whose value is a list also when it is empty. */
const LISTS: ReadonlySet<string> = new Set([
  'data',
  'backend',
  'backendSet',
  'loadBalance',
  'wanIpSet',
  'paths',
  'batches',
  'instances',
]);
const WHOLE = /^-?\d{1,15}$/;

export function originalAnswer(answer: Envelope, refusal?: Refusal): Json {
  if (refusal?.token !== undefined) return tokenRefusal(refusal.token);
  const { data, param, parseparameters, respon, job } = answer;
  const parametersAtFault = parseparameters.code === '-1';
  const { code, msg } = parseparameters;
  const parsed = { code: number(code), msg };
  return sorted({
    code: number(answer.code),
    ...(answer.msg === undefined ? {} : { msg: answer.msg }),
    data: refusal === undefined ? dataOf(data) : refusedData(answer, refusal),
    param: sorted({ ...param }),
    parseparameters: parametersAtFault
      ? sorted(parsed)
      : sorted({ ...parsed, precmd: parseparameters.precmd, requestCmd: parseparameters.requestCmd }),
    print_stdout: number(answer.print_stdout),
    // The original had asked no command yet, and told nothing of one.
    respon: parametersAtFault
      ? { stdout: '' }
      : sorted({ ...respon, code: number(respon.code), ret: respon.ret === '' ? null : number(respon.ret) }),
    take: number(answer.take),
    ...(job === undefined ? {} : { job: sortedDeeply(job as unknown as Leaves) }),
  });
}

function tokenRefusal({ state, shown, timestamp, expire }: RefusedToken): Json {
  const token = shown ?? null;
  const told: Record<RefusedToken['state'], Json> = {
    absent: { code: -1, msg: messages.noToken },
    unknown: { code: -1, msg: messages.unknownToken, query: null },
    expired: {
      code: -1,
      msg: messages.expiredToken,
      query: { expire: expire ?? null, timestamp: timestamp ?? null, token },
    },
  };
  return { code: -1, getToken: told[state], msg: messages.tokenRefused, token };
}

/** A busy name is told where the original told that a key is locked; else there is nothing to tell. */
function refusedData({ msg = '' }: Envelope, { status }: Refusal): Json {
  if (status !== 409) return null;
  return { code: '-1', data: [{ code: -1, msg: messages.deployFailed(msg) }], msg: messages.failed };
}

/** The outer one of `data` is the only `code` that was text. */
function dataOf({ code, data, msg, ...further }: Envelope['data']): Json {
  const rest = Object.entries(further).map(([key, value]) => [key, project(value, key)] as const);
  return sorted({ code, data: project(data, 'data'), msg, ...Object.fromEntries(rest) });
}

function project(value: Leaves, key: string): Json {
  if (typeof value === 'string') return NUMBERS.has(key) ? number(value) : value;
  const keys = Object.keys(value);
  if (keys.length === 0) return LISTS.has(key) ? [] : null;
  if (isList(keys)) return keys.map((at) => project(value[at] ?? '', ''));
  const row = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, project(inner, name)]));
  return sorted('mainProcess' in row ? { ...row, data: asPair(row.data) } : row);
}

/** `[1, "server1"]` of a URL check. */
function asPair(data: Json | undefined): Json {
  if (!Array.isArray(data) || data.length !== 2 || typeof data[0] !== 'string') return data ?? null;
  return [number(data[0]), data[1] ?? null];
}

const isList = (keys: readonly string[]): boolean => keys.every((key, index) => key === String(index));

const number = (text: string): Json => (WHOLE.test(text) ? Number(text) : text);

const sorted = (row: Record<string, Json>): Json =>
  Object.fromEntries(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1)));

function sortedDeeply(value: Leaves): Json {
  if (typeof value === 'string') return value;
  return sorted(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sortedDeeply(inner)])));
}
