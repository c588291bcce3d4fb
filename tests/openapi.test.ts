import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { buildApp } from '@rexdeploy/api/app';
import { Deployments } from '@rexdeploy/api/deployments';
import { JournalFeed } from '@rexdeploy/api/journal/feed';
import { makeLog } from '@rexdeploy/api/log';
import { documentedAnswer } from '@rexdeploy/api/openapi/examples/documented-answer';
import { examples } from '@rexdeploy/api/openapi/examples/routes';
import type { ApiParts } from '@rexdeploy/api/parts';
import { TurnReads } from '@rexdeploy/api/redis/turn-reads';
import { actions } from '@rexdeploy/shared/api/actions';
import type { Route } from '@rexdeploy/shared/api/route';
import { type RouteKey, routes } from '@rexdeploy/shared/api/routes';
import { loadConfig } from '@rexdeploy/shared/config/load';
import { maskTokensIn } from '@rexdeploy/shared/mask';
import { openNoticeQueue } from '@rexdeploy/shared/queue/notices';
import { openQueue } from '@rexdeploy/shared/queue/tickets';
import { openRedis } from '@rexdeploy/shared/redis/connection';
import { openStore } from '@rexdeploy/store/store';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ApiUnderTest } from './api/api-under-test.js';
import { startChromium } from './support/chromium.js';
import { OpenApi } from './support/document.js';

/** The reference against the routes that there are, the rules of OpenAPI, and its own examples. */

let api: ApiUnderTest;
let source: string;
let openApi: OpenApi;

beforeAll(async () => {
  api = await ApiUnderTest.start();
  const answer = await fetch(`${api.api.url}/openapi.json`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  source = await answer.text();
  openApi = new OpenApi(JSON.parse(source));
});
afterAll(() => api.close());

test('a linter finds nothing to say about the document', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const lint = (text: string) => lintFromString({ source: text, absoluteRef: '/openapi.json', config });
  const problems = await lint(source);
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
  // It does look: an example that is wrong would be told.
  const { paths, ...rest } = JSON.parse(source.replaceAll('"msg":"alive"', '"msg":0'));
  const wrong = await lint(JSON.stringify({ ...rest, paths: { '/healthz': paths['/healthz'] } }));
  expect(wrong.map(({ ruleId }) => ruleId)).toContain('no-invalid-media-type-examples');
});

test('every answer of every route has an example, and every example is one', () => {
  const without: string[] = [];
  for (const [key, route] of Object.entries<Route>(routes)) {
    for (const [status, { schema }] of Object.entries(route.answers)) {
      const shown = Object.values(examples[key as RouteKey]?.answers[Number(status)] ?? {});
      if (shown.length === 0) without.push(`${key} ${status}`);
      for (const { value } of shown) expect(schema.safeParse(value).error, `${key} ${status}`).toBeUndefined();
    }
    for (const { value } of Object.values(examples[key as RouteKey]?.bodies ?? {})) {
      expect(route.body?.schema.safeParse(value).error, key).toBeUndefined();
    }
  }
  expect(without).toEqual([]);
});

test('the documented answer is among the examples, word for word', () => {
  const documented = readFileSync(new URL('fixtures/documented-answer.json', import.meta.url), 'utf8');
  expect(documentedAnswer).toEqual(JSON.parse(maskTokensIn(documented)));
  const shown = openApi.operations.get('GET /jobs/{id}')?.responses['200']?.content?.['application/json']?.examples;
  expect(shown?.documented?.value).toMatchObject(documentedAnswer);
});

test('every route that the API has is in the document with who may use it, and no other', async () => {
  const served = await servedRoutes();
  const inTable = Object.entries<Route>(routes).map(([key, { access }]) => `${key} ${access}`);
  expect(served.filter((route) => !isForPages(route)).toSorted()).toEqual(inTable.toSorted());
  const told = [...openApi.operations.keys()].map((key) => key.replaceAll(/\{(\w+)\}/g, ':$1'));
  expect(told.toSorted()).toEqual(Object.keys(routes).toSorted());
});

test('every action is in the document with its parameters, for forms and for JSON', async () => {
  const refused = await api.rex({ action: 'unheard-of' });
  const known = /expected (.*)$/.exec(refused.body.msg ?? '')?.[1]?.split(' or ');
  const mapping = Object.entries(rexMapping());
  expect(mapping.map(([action]) => action).toSorted()).toEqual(known?.toSorted());
  expect(mapping.map(([action]) => action).toSorted()).toEqual(Object.keys(actions).toSorted());
  for (const [action, place] of mapping) {
    const schema = openApi.schemas[place.replace('#/components/schemas/', '')];
    expect(schema?.properties, action).toMatchObject({ action: {} });
    const { params } = actions[action as keyof typeof actions];
    expect(Object.keys(schema?.properties ?? {}).toSorted(), action).toEqual(Object.keys(params.shape).toSorted());
  }
});

test('every parameter of the document says what it means', () => {
  const silent = Object.entries(openApi.schemas)
    .filter(([name]) => name.endsWith('Params'))
    .flatMap(([name, { properties = {} }]) =>
      Object.entries(properties as Record<string, { description?: string }>)
        .filter(([parameter, { description }]) => parameter !== 'action' && description === undefined)
        .map(([parameter]) => `${name}.${parameter}`),
    );
  expect(silent).toEqual([]);
});

test('the page shows all of it, loads nothing from outside, and keeps to its own policy', async () => {
  const browser = await startChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(90_000);
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => void asked.push(new URL(request.url()).origin));
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  page.on('pageerror', ({ message }) => void complaints.push(message));
  const answer = await page.goto(`${api.api.url}/docs`);
  expect(answer?.headers()['content-security-policy']).toContain("default-src 'self'");
  await page
    .locator('.opblock')
    .nth(openApi.operations.size - 1)
    .waitFor();
  expect(await page.locator('.opblock').count()).toBe(openApi.operations.size);
  const deploy = page.locator('.opblock', { hasText: '/rex' });
  await deploy.locator('.opblock-summary-control').click();
  await deploy.getByText('Parameters may come in the address').waitFor();
  expect(complaints).toEqual([]);
  expect(new Set(asked.filter((origin) => origin !== 'null'))).toEqual(new Set([api.api.url]));
}, 120_000);

/** From each `action` to the schema of its parameters; the same for both types of body. */
function rexMapping(): Record<string, string> {
  const { content = {} } = openApi.operations.get('POST /rex')?.requestBody ?? {};
  expect(Object.keys(content)).toEqual(['application/x-www-form-urlencoded', 'application/json']);
  const refs = Object.values(content).map(({ schema }) => (schema as { $ref: string }).$ref);
  expect(new Set(refs).size).toBe(1);
  const { discriminator } = openApi.schemas[refs[0]?.split('/').at(-1) ?? ''] as {
    discriminator: { propertyName: string; mapping: Record<string, string> };
  };
  expect(discriminator.propertyName).toBe('action');
  return discriminator.mapping;
}

/** Pages for people and what they load, as opposed to routes for programs. */
const isForPages = (route: string): boolean => / \/(?:docs\/|admin\/queues|assets\/|favicon|(?= ))/.test(route);

/** Every route as fastify was told of it, with who may use it. */
async function servedRoutes(): Promise<string[]> {
  // The same object is used for several addresses, and who may use it is said after this.
  const seen: { url: string; route: RouteOptions }[] = [];
  const created = channel('fastify.initialization');
  const listen = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook(
      'onRoute',
      (route) => void seen.push({ url: route.url, route }),
    );
  };
  const redis = openRedis(api.redisServer.url, 'request', () => undefined);
  const config = loadConfig(`${api.dir}/config.yml`);
  const log = makeLog('silent');
  const parts: Partial<ApiParts> = {
    config,
    redis,
    reads: new TurnReads(redis),
    keys: api.keys,
    tokens: api.tokens,
    queue: openQueue(redis, 'rex', () => undefined),
    notices: openNoticeQueue(redis, 'rex', () => undefined),
    store: await openStore(api.dir, { maxBytes: 1 }),
    deployments: new Deployments(redis, api.keys),
    feed: new JournalFeed(redis, api.keys, log),
  };
  created.subscribe(listen);
  try {
    // No request is made, so whatever else a part is needed for is not.
    const app = await buildApp(parts as ApiParts, log);
    await app.ready();
    await app.close();
  } finally {
    created.unsubscribe(listen);
    redis.disconnect();
  }
  return seen.flatMap(({ url, route: { method, config } }) =>
    [method].flat().flatMap((each) => (each === 'HEAD' ? [] : [`${each} ${url} ${config?.access}`])),
  );
}
