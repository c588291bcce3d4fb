import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkHostKey, fingerprint, knownKeyTypes } from './known-hosts.js';

const dir = mkdtempSync(join(tmpdir(), 'rex-known-hosts-'));
afterAll(() => rmSync(dir, { recursive: true }));

function key(type: string, seed: string): { blob: Buffer; line: string } {
  const part = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  const blob = Buffer.concat([part(type), part(seed)]);
  return { blob, line: `${type} ${blob.toString('base64')}` };
}

const a = key('ssh-ed25519', 'a');
const b = key('ssh-ed25519', 'b');
const rsa = key('ssh-rsa', 'r');

const trusted = { verdict: 'trusted' };
const unknown = { verdict: 'unknown', knownTypes: [] };
const changed = { verdict: 'changed', expected: [fingerprint(b.blob)] };
const revoked = { verdict: 'revoked' };

test.each<[string, string, string, number, object]>([
  ['a plain name', `web1 ${a.line}`, 'web1', 22, trusted],
  ['a name in other case', `Web1 ${a.line}`, 'wEB1', 22, trusted],
  ['another name', `web2 ${a.line}`, 'web1', 22, unknown],
  ['a name in a list', `web1,10.0.0.1 ${a.line} somebody@somewhere`, '10.0.0.1', 22, trusted],
  ['a wildcard', `*.example.com ${a.line}`, 'web1.example.com', 22, trusted],
  ['a wildcard whose dot is no dot', `*.example.com ${a.line}`, 'web1-example.com', 22, unknown],
  ['a question mark', `web? ${a.line}`, 'web1', 22, trusted],
  ['a question mark for two characters', `web? ${a.line}`, 'web10', 22, unknown],
  ['a negated name', `*.example.com,!bad.example.com ${a.line}`, 'bad.example.com', 22, unknown],
  ['a negation first', `!bad.example.com,*.example.com ${a.line}`, 'bad.example.com', 22, unknown],
  ['a name beside a negation', `*.example.com,!bad.example.com ${a.line}`, 'ok.example.com', 22, trusted],
  ['a port', `[web1]:2222 ${a.line}`, 'web1', 2222, trusted],
  ['a port, asked for the usual one', `[web1]:2222 ${a.line}`, 'web1', 22, unknown],
  ['no port, asked for one: vouches', `web1 ${a.line}`, 'web1', 2222, trusted],
  ['no port, asked for one: does not accuse', `web1 ${b.line}`, 'web1', 2222, unknown],
  ['an IPv6 address with a port', `[::1]:2222 ${a.line}`, '::1', 2222, trusted],
  ['another key of the type', `web1 ${b.line}`, 'web1', 22, changed],
  ['another key and the right one', `web1 ${b.line}\nweb1 ${a.line}`, 'web1', 22, trusted],
  ['a key of another type', `web1 ${rsa.line}`, 'web1', 22, { verdict: 'unknown', knownTypes: ['ssh-rsa'] }],
  ['a revoked key', `@revoked * ${a.line}`, 'web1', 22, revoked],
  ['a revoked key that is also trusted', `web1 ${a.line}\n@revoked web1 ${a.line}`, 'web1', 22, revoked],
  ['a revoked key for another host', `@revoked web2 ${a.line}\nweb1 ${a.line}`, 'web1', 22, trusted],
  ['another key revoked', `@revoked * ${b.line}`, 'web1', 22, unknown],
  ['a certificate authority', `@cert-authority * ${a.line}`, 'web1', 22, unknown],
  ['an unknown marker', `@whatever web1 ${a.line}`, 'web1', 22, unknown],
  ['a comment', `# web1 ${a.line}`, 'web1', 22, unknown],
  [
    'broken lines before',
    `web1\nweb1 ssh-ed25519 AAAA\n\n  \nweb1 ssh-rsa ${a.blob.toString('base64')}\nweb1 ${a.line}`,
    'web1',
    22,
    trusted,
  ],
  ['tabs, indentation and a carriage return', `  web1\t${a.line}\r\n`, 'web1', 22, trusted],
  ['an unfinished hash', `|1|abc ${a.line}`, 'web1', 22, unknown],
  ['nothing', '', 'web1', 22, unknown],
])('%s', (_, text, host, port, expected) => {
  expect(checkHostKey(text, host, port, a.blob)).toEqual(expected);
});

test('known key types come in the order of the file, without revoked ones', () => {
  const text = `web1 ${rsa.line}\n@revoked web1 ${key('ecdsa-sha2-nistp256', 'e').line}\nweb1 ${a.line}\nweb1 ${b.line}\n`;
  expect(knownKeyTypes(text, 'web1', 22)).toEqual(['ssh-rsa', 'ssh-ed25519']);
  expect(knownKeyTypes(text, 'web1', 2222)).toEqual(['ssh-rsa', 'ssh-ed25519']);
  expect(knownKeyTypes(text, 'web2', 22)).toEqual([]);
});

test('reads what ssh-keygen -H hashed, and names keys as ssh-keygen -lf does', () => {
  const path = join(dir, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  const [type = '', base64 = ''] = readFileSync(`${path}.pub`, 'utf8').split(' ');
  const blob = Buffer.from(base64, 'base64');
  const known = join(dir, 'known_hosts');
  writeFileSync(known, `web1.example.com,10.0.0.1 ${type} ${base64}\n[web2]:2222 ${type} ${base64}\n`);
  copyFileSync(known, `${known}.plain`);
  execFileSync('ssh-keygen', ['-H', '-f', known], { stdio: 'ignore' });
  const text = readFileSync(known, 'utf8');
  expect(text).not.toContain('web');
  expect(text.match(/^\|1\|/gm)).toHaveLength(3);
  for (const [host, port] of [
    ['web1.example.com', 22],
    ['10.0.0.1', 22],
    ['web2', 2222],
    ['WEB2', 2222],
  ] as const) {
    expect(checkHostKey(text, host, port, blob)).toEqual(trusted);
    expect(knownKeyTypes(text, host, port)).toEqual([type]);
  }
  expect(checkHostKey(text, 'web2', 22, blob)).toEqual(unknown);
  const listed = execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' });
  expect(listed.split(' ')[1]).toBe(fingerprint(blob));
});
