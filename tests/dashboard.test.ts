import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tarGz } from '@rexdeploy/sandbox/archives';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { type Role, Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { inspect, picture, type Visitor, visit, visitAs } from './support/browser.js';
import { startChromium } from './support/chromium.js';
import { startHttpProxy } from './support/http-proxy.js';
import { expectSound } from './support/invariants.js';
import { healthAttempts, holdListening, PATIENT_ATTEMPTS } from './support/roll-out.js';
import { type Stand, startStand } from './support/stand.js';

/** The dashboard as people use it, in a real browser. The tests share one stand, and go on from each other's releases. */

const releases: (() => Promise<unknown>)[] = [];
let stand: Stand;
let browser: Browser;
let tokens: Tokens;
/** An administrator, who is at the dashboard all along. */
let admin: Visitor;

beforeAll(async () => {
  [stand, browser] = await Promise.all([
    startStand({ config: (fleet) => healthAttempts(fleet, PATIENT_ATTEMPTS) }, releases),
    startChromium(),
  ]);
  releases.push(() => browser.close());
  const redis = new Redis(stand.redis.url);
  releases.push(async () => redis.disconnect());
  tokens = new Tokens(redis, new Keys('rex'));
  admin = await visitAs(browser, stand.api.url, await tokens.create({ name: 'root', role: 'admin' }));
});
afterAll(async () => {
  for (const release of releases.reverse()) await release();
});

const uatDir = (): string => stand.fleet.uatDirs.get('server')?.programDir ?? '';
const idOf = (page: Page): string => /#\/jobs\/([\w-]+)/.exec(page.url())?.[1] ?? '';
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name, level: 1 });
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const reasonOf = async (page: Page, name: string | RegExp): Promise<string | null> => {
  const found = button(page, name).first();
  await found.waitFor();
  return (await found.getAttribute('aria-disabled')) === 'true' ? found.getAttribute('title') : null;
};

/** Somebody of that role, for the length of a test. */
async function enter(name: string, role: Role, names = '*'): Promise<Visitor & { token: string }> {
  const token = await tokens.create({ name, role, names });
  const visitor = await visitAs(browser, stand.api.url, token);
  onTestFinished(() => visitor.context.close());
  return { ...visitor, token };
}

/** From the open page of a name's deployment to the page of the job. */
async function deployByHand(page: Page): Promise<void> {
  await button(page, /^Dry run/).click();
  await page.getByRole('heading', { name: 'What would change' }).waitFor();
  await button(page, 'Deploy server').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click();
  await heading(page, 'deploy server').waitFor();
}

test('the keyboard alone logs in, and a wrong token is told apart', async () => {
  const visitor = await visit(browser, stand.api.url);
  onTestFinished(() => visitor.context.close());
  const { page } = visitor;
  const token = await tokens.create({ name: 'keys' });
  await page.goto('/');
  await heading(page, 'Log in').waitFor();
  await inspect(visitor, 'login');
  await page.keyboard.type('1500000000wrong');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('unknown or was revoked');
  await expect.poll(() => page.evaluate('document.activeElement.name')).toBe('token');
  await page.keyboard.press('Control+A');
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await heading(page, 'Names').waitFor();
  await expect.poll(() => page.title()).toBe('Names · Rexdeploy');
  // The token is nowhere that a script could read it.
  const readable = 'document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href';
  expect(await page.evaluate(readable)).not.toContain(token);

  await page.keyboard.press('Shift+Tab');
  for (let step = 0; step < 40 && !(await focusIsOn(page, 'Log out')); step += 1)
    await page.keyboard.press('Shift+Tab');
  expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
  await page.keyboard.press('Enter');
  await heading(page, 'Log in').waitFor();
  await page.reload();
  await heading(page, 'Log in').waitFor();
  expect(visitor.complaints).toEqual([]);
});

const focusIsOn = async (page: Page, text: string): Promise<boolean> =>
  (await page.evaluate('document.activeElement.textContent')) === text;

test('a deployment is made of the dry run that showed it, and is watched to its end, across a lost connection', async () => {
  const proxy = await startHttpProxy(stand.api.url);
  onTestFinished(() => proxy.close());
  const visitor = await visitAs(browser, proxy.url, await tokens.create({ name: 'ops' }));
  onTestFinished(() => visitor.context.close());
  const { page } = visitor;
  await page.goto('/#/names');
  await button(page, 'Deploy: server').click();
  await expect.poll(() => reasonOf(page, 'Deploy server')).toContain('Make a dry run first');
  await button(page, 'Dry run').click();
  await page.getByText('Files of server1').click();
  await page.getByText('~ version.txt').first().waitFor();
  await inspect(visitor, 'deploy');

  await page.getByLabel('The package').selectOption('2');
  await expect.poll(() => reasonOf(page, 'Deploy server')).toContain('The form has changed');
  await page.getByLabel('The package').selectOption('1');
  // It is seen on its way.
  const listen = holdListening(stand);
  await button(page, 'Deploy server').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click();
  // Something is not as the dry run saw it.
  const refusal = page.getByRole('dialog').getByRole('alert');
  await refusal.waitFor();
  expect(await refusal.textContent()).toContain('Open job');
  await page.keyboard.press('Escape');
  await deployByHand(page);
  await page.locator('.step-running', { hasText: 'verify' }).first().waitFor();
  proxy.cut();
  listen();
  await page.getByText('runs the new release').nth(1).waitFor();
  await page.locator('.facts').getByText('succeeded').waitFor();
  await page.getByRole('heading', { name: 'Final answer' }).waitFor();

  const { body } = await stand.client.get(`/jobs/${idOf(page)}`);
  expect(body.job).toMatchObject({ state: 'succeeded', action: 'deploy' });
  const events = [];
  for await (const event of stand.client.events(idOf(page))) events.push(event);
  const steps = events.filter(({ type }) => type === 'step-done').length;
  // Each line once, whatever was read twice.
  await expect.poll(async () => (await page.getByRole('log').textContent())?.match(/ done \(/g)).toHaveLength(steps);
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
  await inspect(visitor, 'deployment');
  setBehaviour(uatDir(), {});
  expect(visitor.complaints.filter((text) => !text.includes('net::ERR'))).toEqual([]);
});

test('a failure is told with what, where and what to do, and what was done about it', async () => {
  const { page } = admin;
  setBehaviour(uatDir(), { fail: 'start' });
  onTestFinished(() => setBehaviour(uatDir(), {}));
  await page.goto('/#/deploy?k=server');
  await deployByHand(page);
  const failure = page.getByRole('alert').filter({ has: page.getByRole('heading', { name: 'Why it failed' }) });
  await failure.waitFor();
  const { body } = await stand.client.get(`/jobs/${idOf(page)}?wait=30`);
  const told = await failure.textContent();
  for (const part of ['What', 'Where', 'What to do', 'has its former release back']) expect(told).toContain(part);
  expect(told).toContain('server1');
  expect(body.job).toMatchObject({ state: 'failed', rollback: 'done' });
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
  await inspect(admin, 'failure');
});

test('a roll-back asks first, and goes on when it is told to', async () => {
  const { page } = admin;
  await page.goto('/#/names');
  await button(page, 'Roll back: server').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Roll server back?').waitFor();
  await expect.poll(() => focusIsOn(page, 'Cancel')).toBe(true);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await button(page, 'Roll back: server').click();
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await heading(page, 'rollback server').waitFor();
  await page.locator('.facts').getByText('succeeded').waitFor();
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
});

test('a deployment is held, resumed and cancelled, each after a question', async () => {
  const { page } = admin;
  const { body } = await stand.client.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' });
  await page.goto(`/#/jobs/${body.job?.id}`);
  await page.getByText('Held after batch 1').waitFor();
  await picture(admin, 'held');
  await expect.poll(() => reasonOf(page, 'Roll back')).toContain('has not ended');
  await button(page, 'Cancel').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the deployment' }).click();
  await page.getByRole('heading', { name: 'Why it was cancelled' }).waitFor();
  expect(await expectSound(stand)).toEqual(['v2', 'v1']);
});

test('what is out of rotation by our hand is the first thing that names show, until it is given back', async () => {
  const { page } = admin;
  setBehaviour(uatDir(), { fail: 'start' });
  await stand.client.deploy({ k: 'server1', senv: 'uat', on_failure: 'halt' });
  setBehaviour(uatDir(), {});
  await page.goto('/#/names');
  const banner = page.getByRole('status').filter({ hasText: 'One instance is out of rotation by our hand' });
  await banner.waitFor();
  expect(await banner.textContent()).toMatch(/server1 .*is not given back by itself/);
  await page.getByText('out', { exact: true }).waitFor();
  await inspect(admin, 'drained');
  await stand.client.deploy({ k: 'server1', senv: 'uat' });
  await Promise.all([page.waitForResponse((response) => response.url().endsWith('/drained')), page.reload()]);
  await page.getByText('in', { exact: true }).nth(1).waitFor();
  await expect.poll(() => banner.count()).toBe(0);
  expect(await expectSound(stand)).toEqual(['v2', 'v1']);
});

test('names show what runs where, told and seen, and history what became of it', async () => {
  const { page } = admin;
  await page.goto('/#/names');
  await button(page, 'Look at the hosts now: server').click();
  await page.getByText(/As seen on hosts and balancer at/).waitFor();
  await expect.poll(() => page.locator('.seen').first().textContent()).toContain('2 processes');
  await inspect(admin, 'names');

  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('img', { name: /did not succeed/ }).waitFor();
  await inspect(admin, 'history');
  await page.getByLabel('By token').fill('root');
  await expect.poll(() => page.locator('tbody tr').count()).toBe(3);
  await page.getByLabel('State').selectOption('failed');
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  await page.reload();
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  await page.getByLabel('From').fill('2050-01-01T00:00');
  await page.getByText('No job fits.').waitFor();
});

test('an archive is uploaded, and is what a dry run compares', async () => {
  const { page } = admin;
  const file = join(tmpdir(), `rex-upload-${process.pid}.tar.gz`);
  onTestFinished(() => rmSync(file, { force: true }));
  await tarGz(uatDir(), file);
  await page.goto('/#/deploy?k=server');
  await page.getByText('Upload', { exact: true }).click();
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByText('Uploaded: rex-upload').waitFor();
  await expect
    .poll(() =>
      page
        .locator('label', { hasText: /^Package/ })
        .locator('select')
        .textContent(),
    )
    .toContain('by root');
  await picture(admin, 'upload');
  await button(page, 'Dry run').click();
  await page.getByText('Files of server2').waitFor();
  await expect.poll(() => reasonOf(page, 'Deploy server')).toBeNull();
});

test('tokens are made, shown once and revoked; whoever had one is logged out', async () => {
  const { page } = admin;
  await page.goto('/#/tokens');
  const form = page.locator('form');
  await form.getByLabel('Name', { exact: true }).fill('night');
  await form.getByLabel('Role').selectOption('viewer');
  await form.getByRole('button', { name: 'Make the token' }).click();
  const token = (await page.locator('.secret').textContent()) ?? '';
  expect(token).toMatch(/^\d{10}[a-z]{32}$/);
  await button(page, 'I have it').click();
  await expect.poll(() => page.locator('main').textContent()).not.toContain(token);
  await inspect(admin, 'tokens');
  await form.getByLabel('Name', { exact: true }).fill('night');
  await form.getByRole('button', { name: 'Make the token' }).click();
  await page.getByText('a token named "night" exists').waitFor();

  const night = await visitAs(browser, stand.api.url, token);
  onTestFinished(() => night.context.close());
  await night.page.goto('/#/names');
  await heading(night.page, 'Names').waitFor();
  await button(page, 'Revoke night').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect.poll(() => page.getByRole('row').filter({ hasText: 'night' }).count()).toBe(0);
  // Whatever the page asks for next tells it.
  await night.page.getByRole('link', { name: 'History' }).click();
  await night.page.getByText('The log-in has ended').waitFor();
  expect(await tokens.verify(token)).toBe('unknown');
});

test('buttons that a token may not press say why, and nothing is sent', async () => {
  const eyes = await enter('eyes', 'viewer');
  await eyes.page.goto('/#/names');
  for (const name of ['Deploy: server', 'Roll back: server']) {
    await expect.poll(() => reasonOf(eyes.page, name)).toContain('only reads');
    await button(eyes.page, name).click({ force: true });
  }
  expect(await eyes.page.getByRole('dialog').count()).toBe(0);
  expect(await eyes.page.getByRole('link', { name: 'Queue' }).count()).toBe(0);
  await picture(eyes, 'viewer');
  await eyes.page.getByRole('link', { name: 'Tokens' }).click();
  await eyes.page.getByText('needs a token with the role admin').waitFor();
  await eyes.page.getByRole('link', { name: 'History' }).click();
  await eyes.page.locator('tbody tr').filter({ hasNotText: 'dry run' }).first().getByRole('link').click();
  await expect.poll(() => reasonOf(eyes.page, 'Roll back')).toContain('only reads');

  const shop = await enter('shop', 'deployer', 'shop*');
  await shop.page.goto('/#/names');
  await shop.page.getByText('Your token is for none of the names').waitFor();
  expect([...eyes.complaints, ...shop.complaints]).toEqual([]);
});

test('the queue is shown after the log-in that it asks for, and nowhere else does the log-in lead', async () => {
  const visitor = await visit(browser, stand.api.url);
  onTestFinished(() => visitor.context.close());
  const { page } = visitor;
  const token = await tokens.create({ name: 'queue' });
  await page.goto('/admin/queues');
  await heading(page, 'Log in').waitFor();
  await page.getByLabel('Token').fill(token);
  await button(page, 'Log in').click();
  await page.getByText('deployments').first().waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/admin\/queues/);
  for (const next of ['https://evil.example/', '//evil.example', '/admin/queues/../../jobs', 'javascript:alert(1)']) {
    await page.goto(`/?next=${encodeURIComponent(next)}`);
    await heading(page, 'Names').waitFor();
    expect(page.url()).toBe(`${stand.api.url}/`);
  }
  expect(visitor.complaints).toEqual([]);
});

test('a page of somebody else cannot deploy with the cookie of who looks at it', async () => {
  const { port } = new URL(stand.api.url);
  const body = `<form method="post" action="http://127.0.0.1:${port}/rex">
    <input name="action" value="deploy"><input name="k" value="server"><input name="senv" value="uat"></form>`;
  const other = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(body));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    other.close();
  });
  const before = (await stand.client.get('/jobs')).body.data.data;
  const { context, page } = await visitAs(browser, stand.api.url, await tokens.create({ name: 'victim' }));
  onTestFinished(() => context.close());
  await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
  // Another port is the same site, so even a strict cookie goes along.
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/rex')),
    page.evaluate('document.forms[0].submit()'),
  ]);
  expect((await answer.request().allHeaders()).cookie).toContain('rex_session=');
  expect(answer.status()).toBe(403);
  expect((await stand.client.get('/jobs')).body.data.data).toEqual(before);
});

test('the pages speak Chinese and remember it, and their colours', async () => {
  const { page } = admin;
  await page.goto('/#/names');
  await button(page, 'Switch to Chinese: 中文').click();
  await heading(page, '应用').waitFor();
  await expect
    .poll(async () => [await page.title(), await page.getAttribute('html', 'lang')])
    .toEqual(['应用 · Rexdeploy', 'zh-CN']);
  await picture(admin, 'names-zh');
  await button(page, '配色：自动').click();
  await button(page, '配色：浅色').click();
  await page.reload();
  await heading(page, '应用').waitFor();
  await expect.poll(() => page.getAttribute('html', 'data-theme')).toBe('dark');
  await page.goto('/#/nothing');
  await heading(page, '没有这个页面').waitFor();
  expect(admin.complaints).toEqual([]);
});
