import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HttpSection } from '@rexdeploy/shared/config/balancer';
import { balancerSchema } from '@rexdeploy/shared/config/balancer';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeBalancer } from '../balancer.contract.js';
import { HttpBalancer } from './http.js';

const { signal } = new AbortController();
const TOKEN = 'Bearer very-secret-token';

/** A balancer's administration as such programs have it: members with a weight, behind a token. */
const members = new Map<string, { on: boolean; weight: number }>();
const seen: string[] = [];
/** A drain takes effect only after this many further looks, as with interfaces that only note what is wanted. */
let lag = 0;
let later: (() => void)[] = [];
/** Takes requests and answers none. */
let silent = false;
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request);
    if (silent) return;
    seen.push(`${request.method} ${request.url} ${body}`);
    const answer = (status: number, said: unknown): void => {
      response.writeHead(status).end(JSON.stringify(said));
    };
    if (request.headers.authorization !== TOKEN) return answer(401, { error: `not ${request.headers.authorization}` });
    const [, , name = '', verb] = (request.url ?? '').split('/');
    const member = members.get(name);
    if (member === undefined) return answer(404, { error: `no member ${name}, said by ${TOKEN}` });
    const change = (): void => {
      if (verb === 'drain') members.set(name, { on: false, weight: 0 });
      if (verb === 'enable') members.set(name, { on: true, weight: JSON.parse(body).weight });
    };
    if (verb === undefined) {
      if (lag > 0) lag -= 1;
      else for (const late of later.splice(0)) late();
      return answer(200, { state: member.on ? 'enabled' : 'disabled', weight: member.weight });
    }
    if (lag > 0) later.push(change);
    else change();
    return answer(202, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  members.clear();
  members.set('server1', { on: true, weight: 7 });
  seen.length = 0;
  later = [];
  lag = 0;
  silent = false;
});

const headers = { authorization: TOKEN };
const settings = (changes: object = {}): HttpSection =>
  balancerSchema.parse({
    type: 'http',
    look: { url: `${base}/members/{instance}`, headers, in: '"enabled"', out: '"disabled"', weight: '"weight":(\\d+)' },
    drain: { url: `${base}/members/{instance}/drain`, headers },
    restore: { url: `${base}/members/{instance}/enable`, headers, body: '{"weight":{weight}}' },
    timeout: '2s',
    ...changes,
  }) as HttpSection;
const instance = { key: 'server1', host: '10.0.0.1' } as ResolvedInstance;
const driver = (changes: object = {}, of: Partial<ResolvedInstance> = {}): HttpBalancer =>
  new HttpBalancer(settings(changes), { ...instance, ...of });

describeBalancer('http', async () => ({
  balancer: driver(),
  stranger: driver({}, { key: 'stranger' }),
  strangerError: /GET http:\/\/127\.0\.0\.1:\d+\/members\/stranger: status 404: .*no member stranger, said by \*\*\*/,
  isIn: async () => members.get('server1')?.on === true,
  setByHand: async (on) => {
    members.set('server1', { on, weight: on ? 7 : 0 });
  },
}));

describe('http', () => {
  test('the weight that was found is sent back', async () => {
    const balancer = driver();
    const found = await balancer.look(signal);
    await balancer.takeOut(found, signal);
    expect(members.get('server1')).toEqual({ on: false, weight: 0 });
    await balancer.giveBack(found, signal);
    expect(members.get('server1')).toEqual({ on: true, weight: 7 });
    expect(seen).toContain('POST /members/server1/enable {"weight":7}');
  });

  test('a change that shows late is waited for', async () => {
    const balancer = driver();
    const found = await balancer.look(signal);
    lag = 3;
    await balancer.takeOut(found, signal);
    expect(members.get('server1')?.on).toBe(false);
  });

  test('and given up when it never shows', async () => {
    const balancer = driver({ timeout: '1500ms' });
    const found = await balancer.look(signal);
    lag = 1000;
    await expect(balancer.takeOut(found, signal)).rejects.toThrow(
      /server1 shall be out of rotation and is in weight=7 after 1500 ms/,
    );
  });

  test('a refused token is an error that does not tell it', async () => {
    const wrong = { ...settings().look, headers: { authorization: 'Bearer another-secret' } };
    const error: unknown = await driver({ look: wrong, timeout: '2s' })
      .look(signal)
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('status 401: {"error":"not ***');
    expect(String(error)).not.toContain('secret');
  });

  test('a port that is not known is an error that says what to set', async () => {
    const look = { ...settings().look, url: `${base}/members/{instance}:{port}` };
    await expect(driver({ look }).look(signal)).rejects.toThrow(/`look` .* names \{port\}.*set `balancer_port`/);
  });

  test('an answer that never comes is given up, and tried again', async () => {
    silent = true;
    await expect(driver({ timeout: '150ms' }).look(signal)).rejects.toMatchObject({
      retryable: true,
      message: expect.stringMatching(/GET .*server1: no answer in 150 ms/),
    });
  });

  test('nobody who listens is a connection error, which is tried again', async () => {
    const look = { ...settings().look, url: 'http://127.0.0.1:1/?token=hidden-token' };
    const error = await driver({ look })
      .look(signal)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'connection',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(String(error)).not.toContain('hidden');
  });
});
