import { describe, expect, test } from 'vitest';
import { shownAnswer, shownRequest } from './conceal.js';
import { readRotation, weightOf } from './rotation.js';
import { fillRequest, MissingFact } from './template.js';

const facts = { instance: 'server1', host: '10.0.0.1', port: '8080', weight: '7' };
const section = { method: 'POST', url: 'http://lb/', headers: {}, body: '' } as const;

describe('templates', () => {
  test('are filled in everywhere, and other braces stay', () => {
    const filled = fillRequest(
      {
        method: 'PUT',
        url: 'http://lb/{instance}?to={host}:{port}',
        headers: { 'x-weight': '{weight}' },
        body: '{"w": {weight}, "{other}": "{{instance}}"}',
      },
      facts,
    );
    expect(filled).toEqual({
      method: 'PUT',
      url: 'http://lb/server1?to=10.0.0.1:8080',
      headers: { 'x-weight': '7' },
      body: '{"w": 7, "{other}": "{server1}"}',
    });
  });

  test.each([
    ['::1', 'http://[::1]:9000/'],
    ['a/../b', 'http://a%2F..%2Fb:9000/'],
  ])('%s in an address is %s', (host, url) => {
    expect(fillRequest({ ...section, url: 'http://{host}:9000/' }, { ...facts, host }).url).toBe(url);
  });

  test('what is not known is an error', () => {
    const unknown = { ...facts, port: undefined };
    expect(() => fillRequest({ ...section, body: '{port}' }, unknown)).toThrow(MissingFact);
  });
});

describe('messages', () => {
  const request = {
    method: 'POST',
    url: 'https://admin:topsecret@lb/v1/drain?key=abcdef12&i=server1',
    headers: {
      authorization: 'Bearer s3cr3t-token',
      'x-login': `Basic ${Buffer.from('op:hidden99').toString('base64')}`,
    },
    body: '{"password":"correct-horse","server":"server1"}',
  } as const;

  test('show the path of a request, and neither log-in nor query', () => {
    expect(shownRequest(request)).toBe('POST https://lb/v1/drain');
  });

  test.each(['s3cr3t-token', 'Bearer s3cr3t-token', 'abcdef12', 'topsecret', 'correct-horse'])(
    'do not repeat %s, though the server does',
    (secret) => {
      const shown = shownAnswer(`server1 not found, you sent "${secret}"`, request, ['server1']);
      expect(shown).not.toContain(secret);
      expect(shown).toMatch(/^server1 not found, you sent "\*\*\*/);
    },
  );

  test('do not repeat a password that was sent in base64', () => {
    const login = { ...request, headers: { authorization: `Basic ${Buffer.from('op:hidden99').toString('base64')}` } };
    expect(shownAnswer('bad password hidden99', login, [])).not.toContain('hidden99');
  });

  test('are short', () => {
    expect(shownAnswer('x '.repeat(5000), request, []).length).toBeLessThan(210);
  });
});

describe('answers', () => {
  const patterns = { in: '"state":\\s*"up"', out: '"state":\\s*"drained"', weight: '"weight":\\s*(\\d+)' };

  test.each([
    ['{"state": "up", "weight": 7}', { in: true, exact: 'in weight=7' }],
    ['{"state":"drained","weight":0}', { in: false, exact: 'out weight=0' }],
    ['<html>log in</html>', { problem: expect.stringContaining('neither') }],
    ['{"state":"up"} {"state":"drained"}', { problem: expect.stringContaining('both') }],
    ['{"state":"up"}', { problem: expect.stringContaining('look.weight') }],
  ])('%s', (answer, rotation) => {
    expect(readRotation(answer, patterns)).toEqual(rotation);
  });

  test('without further patterns everything else is out', () => {
    expect(readRotation('down', { in: 'up' })).toEqual({ in: false, exact: 'out' });
    expect(readRotation('up', { in: 'up' })).toEqual({ in: true, exact: 'in' });
  });

  test('the weight is read back', () => {
    expect(weightOf('in weight=7')).toBe('7');
    expect(weightOf('in')).toBeUndefined();
  });
});
