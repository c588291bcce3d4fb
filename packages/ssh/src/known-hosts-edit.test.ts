import { expect, test } from 'vitest';
import { checkHostKey } from './known-hosts.js';
import { withKey, withoutKeys } from './known-hosts-edit.js';

const blob = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519 something')]);
const key = { type: 'ssh-ed25519', blob };
const base64 = blob.toString('base64');

test('a key is written in clear text or hashed, after a last line without its newline too', () => {
  expect(withKey('# mine', 'Web1', 2222, key, false)).toBe(`# mine\n[web1]:2222 ssh-ed25519 ${base64}\n`);
  const hashed = withKey('', 'web1', 22, key, true);
  expect(hashed).toMatch(/^\|1\|[^|]{28}\|[^|]{28} ssh-ed25519 /);
  expect(checkHostKey(hashed, 'web1', 22, blob)).toEqual({ verdict: 'trusted' });
});

test.each([
  ['a line of its own', `web1 ssh-ed25519 ${base64}\n`, ''],
  ['a name among others', `web1,web2 ssh-ed25519 ${base64}\n`, `web2 ssh-ed25519 ${base64}\n`],
  ['a wildcard', `web* ssh-ed25519 ${base64}\n`, `web* ssh-ed25519 ${base64}\n`],
  ['a revoked key', `@revoked web1 ssh-ed25519 ${base64}\n`, `@revoked web1 ssh-ed25519 ${base64}\n`],
  ['another host, comments', `# web1\nweb2 ssh-ed25519 ${base64}\n`, `# web1\nweb2 ssh-ed25519 ${base64}\n`],
  ['a hashed name', withKey('', 'web1', 22, key, true), ''],
])('taking a host out of %s', (_, text, expected) => {
  expect(withoutKeys(text, 'web1', 22, 'ssh-ed25519')).toBe(expected);
});
