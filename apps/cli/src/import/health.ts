import { quote } from '@rexdeploy/ssh/quote';
import type { Inventory } from './instances.js';
import { holdsSecret, isSecretName, type Notes } from './notes.js';
import type { OriginalConfig } from './original-config.js';
import { type Entry, type Section, variable } from './yaml.js';

/**
 * The URL check of a row as a health check. One that posts a body, or wants a pattern, is made by a command on the
 * instance's host.
 * @returns undefined where the row has none
 */
export function healthOf(instance: Inventory, config: OriginalConfig, notes: Notes): Section | undefined {
  const { key, row, host } = instance;
  const text = (column: string): string => (row[column] ?? '').trim();
  const url = text('url');
  if (!/^https?:\/\/\S+$/.test(url)) {
    notes.add(
      `${key}: url is ${url === '' ? 'empty' : 'no http address'}: it has no health check, only its processes count`,
    );
    return undefined;
  }
  const headers = readHeaders(key, text('header'), notes);
  const [status, pattern, body] = [text('requirecode'), text('require'), text('params')];
  const address = holdsSecret(url) ? secret(key, 'HEALTH_URL', 'url', notes) : url.replace(`//${host}`, '//{host}');
  if (status === '') notes.add(`${key}: requirecode is empty: any status was good, here it is 200`);
  const patience = patienceOf(config);
  if (body === '' && !/[\\^$.|?*+()[\]{}]/.test(pattern)) {
    return [
      { key: 'url', value: address },
      ...statusOf(key, status, notes),
      ...(pattern === '' ? [] : [{ key: 'contains', value: pattern }]),
      ...(headers.length === 0
        ? []
        : [{ key: 'headers', value: headers.map(([name, value]) => ({ key: name, value })) }]),
      ...patience,
    ];
  }
  const why = body === '' ? '`require` is a pattern' : 'the check posts a body';
  notes.add(`${key}: ${why}: carried over as a command with curl, made on the instance's own host`);
  const sent = body === '' ? '' : holdsSecret(body) ? secret(key, 'HEALTH_BODY', 'params', notes) : body;
  const words = [
    'curl -sS -m 5',
    ...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(sent === '' ? [] : [`-d ${quote(sent)}`]),
    `-w '\\n%{http_code}' ${quote(address.replace('{host}', host))}`,
  ];
  const wanted = /^\d{3}$/.test(status) ? status : '200';
  const parts = [`out=$(${words.join(' ')})`, `[ "$(printf '%s' "$out" | tail -n 1)" = ${wanted} ]`];
  if (pattern !== '') parts.push(`printf '%s' "$out" | grep -Pq -- ${quote(pattern)}`);
  return [
    {
      comment: [`The original asked ${url.split('?')[0]} from the controller.`],
      key: 'command',
      value: parts.join(' && '),
    },
    ...patience,
  ];
}

function statusOf(key: string, status: string, notes: Notes): Entry[] {
  if (status === '') return [];
  if (/^[1-5]\d\d$/.test(status)) return [{ key: 'status', value: Number(status) }];
  notes.add(`${key}: requirecode ${JSON.stringify(status)} is no status`);
  return [];
}

/** `Name:value;Name:value`; the original drops a header whose value holds a colon. */
function readHeaders(key: string, text: string, notes: Notes): [string, string][] {
  return text.split(';').flatMap((part): [string, string][] => {
    if (part.trim() === '') return [];
    const [name = '', ...rest] = part.split(':');
    const value = rest.join(':').trim();
    if (!/^[\w-]+$/.test(name.trim()) || rest.length === 0) {
      notes.add(`${key}: a part of \`header\` is no header and was left out`);
      return [];
    }
    if (rest.length > 1)
      notes.add(`${key}: the original never sent the header ${name.trim()}, whose value holds a colon`);
    const isSecret = isSecretName(name) || holdsSecret(value);
    return [[name.trim(), isSecret ? secret(key, `HEADER_${name}`, `the header ${name.trim()}`, notes) : value]];
  });
}

/** @returns the variable that stands in the place of a value that is not written */
function secret(key: string, what: string, from: string, notes: Notes): string {
  const name = `${key}_${what}`.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
  notes.add(`${key}: ${from} may hold a secret and is not written: set ${name} in the environment`);
  return variable(name);
}

function patienceOf({ health: { delaySeconds, attempts, intervalSeconds } }: OriginalConfig): Entry[] {
  return [
    ...(delaySeconds === undefined ? [] : [{ key: 'delay', value: `${delaySeconds}s` }]),
    ...(intervalSeconds === undefined ? [] : [{ key: 'interval', value: `${intervalSeconds}s` }]),
    ...(attempts === undefined || attempts < 1 ? [] : [{ key: 'attempts', value: attempts }]),
  ];
}
