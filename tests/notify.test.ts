import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { askDeployment } from '@rexdeploy/shared/deployments/control';
import { noticeId } from '@rexdeploy/shared/queue/notices';
import { expect, onTestFinished, vi } from 'vitest';
import { at } from './support/client.js';
import { type LoneWorkers, loneWorkers } from './support/lone-worker.js';
import { type Behaviour, type Got, type Receiver, startReceiver } from './support/receiver.js';
import { test } from './support/stand.js';

// Several processes each; on a machine that is busy otherwise they take their time.
vi.setConfig({ testTimeout: 180_000 });

const SECRET = 'the-secret-of-the-receiver';
const takes: Behaviour = () => ({ status: 200 });
const robotTakes: Behaviour = () => ({ status: 200, body: '{"errcode":0,"errmsg":"ok"}' });

async function receive(paths: Readonly<Record<string, Behaviour>>): Promise<Receiver> {
  const receiver = await startReceiver(paths);
  onTestFinished(() => receiver.close());
  return receiver;
}

async function lone(notify: readonly object[]): Promise<LoneWorkers> {
  const workers = await loneWorkers({ notify, worker: { lock: '2s', stalled_check: '200ms' } });
  onTestFinished(() => workers.close());
  return workers;
}

/** As a receiver in another language would check it. */
function isSigned({ headers, body }: Got): boolean {
  const signed = `${headers['x-rexdeploy-timestamp']}.${body}`;
  return headers['x-rexdeploy-signature'] === `sha256=${createHmac('sha256', SECRET).update(signed).digest('hex')}`;
}

/** What docs/observability.md gives receivers to check with, taken from there. */
async function checkAsDocumented({ headers, body }: Got): Promise<void> {
  const page = readFileSync(new URL('../docs/observability.md', import.meta.url), 'utf8');
  const block = (language: string): string =>
    new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';
  const { isFromRexdeploy } = await import(`data:text/javascript,${encodeURIComponent(block('js'))}`);
  expect(isFromRexdeploy(SECRET, headers, body)).toBe(true);
  expect(isFromRexdeploy('another', headers, body)).toBe(false);
  expect(isFromRexdeploy(SECRET, headers, `${body} `)).toBe(false);
  const env = { PATH: process.env.PATH, TIMESTAMP: String(headers['x-rexdeploy-timestamp']), BODY: body, SECRET };
  const made = execFileSync('/bin/sh', ['-c', block('sh')], { env, encoding: 'utf8' });
  expect(made.trim()).toBe(headers['x-rexdeploy-signature']);
}

const kinds = (all: readonly Got[]): string[] => all.map(({ headers }) => String(headers['x-rexdeploy-event']));
const text = ({ body }: Got): string => {
  const { text, content } = JSON.parse(body);
  return text?.content ?? content?.text;
};

test('a roll-out is told to every kind of receiver, each in its own signed form; one that is slow or gone slows nothing', async ({
  start,
}) => {
  const receiver = await receive({
    '/hook': takes,
    '/slow': () => 'never',
    '/wecom': robotTakes,
    '/dingtalk': robotTakes,
    '/feishu': () => ({ status: 200, body: '{"code":0,"msg":"success"}' }),
    '/slack': () => ({ status: 200, body: 'ok' }),
  });
  const { client, workers } = await start({
    fleet: { app: false, balancer: 'none' },
    config: {
      notify: [
        { type: 'webhook', url: `${receiver.url}/hook`, secret: '${HOOK_SECRET}', lang: 'en' },
        { type: 'webhook', name: 'slow', url: `${receiver.url}/slow`, timeout: '60s' },
        { type: 'webhook', name: 'gone', url: 'http://127.0.0.1:1/', retry: '60s' },
        { type: 'wecom', url: `${receiver.url}/wecom?key=k-e-y` },
        { type: 'dingtalk', url: `${receiver.url}/dingtalk?access_token=t`, secret: SECRET },
        { type: 'feishu', url: `${receiver.url}/feishu`, secret: SECRET, events: ['finished'] },
        { type: 'slack', url: `${receiver.url}/slack`, lang: 'en', events: ['held'] },
      ],
    },
    env: { HOOK_SECRET: SECRET },
  });
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' });
  const id = accepted.body.job?.id ?? '';
  await expect.poll(async () => (await client.get(`/jobs/${id}`)).body.job?.state, { timeout: 60_000 }).toBe('held');
  await client.post(`/jobs/${id}/resume`);
  const { body } = await client.get(`/jobs/${id}?wait=60`);
  expect(body.job?.state).toBe('succeeded');

  const all = ['started', 'batch', 'held', 'batch', 'finished'];
  await expect.poll(() => kinds(receiver.at('/hook')).sort(), { timeout: 20_000 }).toEqual([...all].sort());
  const hooks = receiver.at('/hook');
  expect(hooks.every(isSigned)).toBe(true);
  await checkAsDocumented(hooks[0] ?? expect.fail('nothing came'));
  expect(new Set(hooks.map(({ headers }) => headers['x-rexdeploy-delivery'])).size).toBe(5);
  const held = hooks.find(({ headers }) => headers['x-rexdeploy-event'] === 'held');
  expect(JSON.parse(held?.body ?? '')).toMatchObject({
    type: 'held',
    deployment: id,
    k: 'server',
    action: 'deploy',
    state: 'held',
    by: 'tests',
    environment: { key: 'prod', desc: '生产环境' },
    batch: { number: 1, of: 2, instances: ['server1'] },
    instances: ['server1', 'server2'],
    left: [],
    url: `/jobs/${id}`,
    msg: expect.stringContaining('(生产环境) deployment of server is held after batch 1 of 2'),
    job: { id, state: 'held', progress: { done: '1', total: '2' } },
  });

  await expect.poll(() => receiver.at('/wecom').length, { timeout: 20_000 }).toBe(5);
  const last = receiver
    .at('/wecom')
    .map(text)
    .find((each) => each.includes('(0000)'));
  expect(last).toMatch(/^灰度发布-滚动发布\(0000\)\n\(生产环境\) \(server\) 全部灰度发布完成\n/);
  await expect.poll(() => receiver.at('/dingtalk').length, { timeout: 20_000 }).toBe(5);
  for (const { query } of receiver.at('/dingtalk')) {
    const stamp = query.get('timestamp') ?? '';
    expect(query.get('sign')).toBe(createHmac('sha256', SECRET).update(`${stamp}\n${SECRET}`).digest('base64'));
    expect(query.get('access_token')).toBe('t');
  }
  await expect.poll(() => receiver.at('/feishu').length, { timeout: 20_000 }).toBe(1);
  const bot = JSON.parse(receiver.at('/feishu')[0]?.body ?? '');
  expect(bot.sign).toBe(createHmac('sha256', `${bot.timestamp}\n${SECRET}`).digest('base64'));
  expect(bot.content.text).toContain('全部灰度发布完成');
  await expect.poll(() => receiver.at('/slack').length, { timeout: 20_000 }).toBe(1);
  expect(at(JSON.parse(receiver.at('/slack')[0]?.body ?? ''), 'blocks', '0', 'text', 'text')).toContain('Gray release');

  // Every one of its requests is still open: nobody waited for an answer.
  await expect.poll(() => receiver.at('/slow').length, { timeout: 20_000 }).toBe(5);
  const notes = async (): Promise<string[]> => {
    const told: string[] = [];
    for await (const { type, data } of client.events(id)) if (type === 'notified') told.push(String(data.notice));
    return told;
  };
  await expect.poll(async () => (await notes()).length, { timeout: 20_000 }).toBe(17);
  // And a worker that has to end gives them back instead of waiting for them.
  await workers[0]?.stop();
  expect(await workers[0]?.child.exited).toMatchObject({ code: 0 });
});

test('a worker that dies before anybody was told, or while somebody is, swallows nothing and repeats nothing else', async () => {
  let release = false;
  const receiver = await receive({
    '/hook': takes,
    '/holds': () => (release ? { status: 200 } : 'never'),
  });
  const { start, take, events, redis, keys } = await lone([
    { type: 'webhook', name: 'hook', url: `${receiver.url}/hook`, secret: SECRET },
    { type: 'webhook', name: 'holds', url: `${receiver.url}/holds`, events: ['failed'], timeout: '60s' },
  ]);
  const journal = await take({ action: 'rollback' });
  await journal.append({ type: 'batch-started', batch: 0 }, { type: 'batch-finished', batch: 0 });
  const error = { code: 'rollout', what: 'server2 failed at verify', where: 'server2', whatToDo: 'look at its log' };
  const left = { instance: 'server2', why: 'ssh: refused', linked: '/data/www/html2_20180530_043756' };
  await journal.append({ type: 'left', ...left, rotation: 'out (weight 0)', processes: 0 });
  await journal.append({ type: 'finished', state: 'failed', error });
  // Here it dies: the journal is written, and not one ticket is queued.
  expect(await redis.scard(keys.untold)).toBe(3);

  const second = await start();
  await expect.poll(() => receiver.at('/holds').length, { timeout: 20_000 }).toBe(1);
  const notes = async () => (await events(journal.id)).flatMap((event) => (event.type === 'notified' ? [event] : []));
  await expect.poll(async () => (await notes()).length, { timeout: 20_000 }).toBe(3);
  // The notices to `hook` are noted; that to `holds` is under way.
  await second.kill9();
  release = true;
  await start();
  await expect.poll(() => receiver.at('/holds').length, { timeout: 20_000 }).toBe(2);
  const [first, again] = receiver.at('/holds').map(({ headers }) => headers['x-rexdeploy-delivery']);
  expect(again).toBe(first);

  await expect.poll(async () => (await notes()).length, { timeout: 20_000 }).toBe(4);
  expect(kinds(receiver.at('/hook')).sort()).toEqual(['batch', 'failed', 'started']);
  const failed = receiver.at('/hook').find(({ headers }) => headers['x-rexdeploy-event'] === 'failed');
  expect(isSigned(failed ?? receiver.at('/hook')[0] ?? expect.fail('nothing came'))).toBe(true);
  const payload = JSON.parse(failed?.body ?? '');
  expect(payload).toMatchObject({
    action: 'rollback',
    state: 'failed',
    error,
    rollback: 'failed',
    left: [{ ...left, kept: false, rotation: 'out (weight 0)', running: false }],
  });
  expect(payload.msg).toContain('(生产环境) (server) 回滚失败: server2 failed at verify');
  expect(payload.msg).toContain(`server2: 链接 ${left.linked}; 权重 out (weight 0); 运行中 否`);
  await expect.poll(() => redis.scard(keys.untold)).toBe(0);
  // What the queue holds, an operator's dashboard shows: ids and a name, nothing else.
  const entry = (await notes()).find(({ notifier }) => notifier === 'holds')?.entry ?? '';
  const ticket = { deploymentId: journal.id, entry, notifier: 'holds' };
  const stored = await redis.hgetall(`rex:notices:${noticeId(ticket)}`);
  expect(JSON.parse(stored.data ?? '')).toEqual(ticket);
  expect(JSON.stringify(stored)).not.toMatch(new RegExp(`${SECRET}|/holds`));
});

test('what may pass is tried again; a refusal, a redirect and a robot that says no are journaled at once, without a secret', async () => {
  const attempts = new Map<string, number>();
  const receiver = await receive({
    '/busy': ({ body }) => {
      const { deployment } = JSON.parse(body);
      const nth = attempts.get(deployment) ?? 0;
      attempts.set(deployment, nth + 1);
      return nth < 2 ? { status: nth === 0 ? 503 : 429 } : { status: 204 };
    },
    '/refuses/k-e-y-of-it': () => ({ status: 400, body: 'no such robot: /refuses/k-e-y-of-it' }),
    '/moved': () => ({ status: 302, headers: { location: '/hook' } }),
    '/hook': takes,
    '/wecom': () => ({ status: 200, body: '{"errcode":93000,"errmsg":"invalid webhook url"}' }),
    '/floods': () => ({ status: 200, body: 'x'.repeat(3_000_000) }),
  });
  const events = ['finished'];
  const {
    start,
    accept,
    take,
    events: journalOf,
    redis,
    keys,
  } = await lone([
    { type: 'webhook', name: 'busy', url: `${receiver.url}/busy`, events, retry: '100ms' },
    { type: 'webhook', name: 'refuses', url: `${receiver.url}/refuses/k-e-y-of-it`, events },
    { type: 'slack', name: 'moved', url: `${receiver.url}/moved`, events },
    { type: 'wecom', name: 'robot', url: `${receiver.url}/wecom?key=k-e-y-of-it`, events },
    { type: 'webhook', name: 'floods', url: `${receiver.url}/floods`, events },
  ]);
  const worker = await start();
  const journal = await take();
  await journal.append({ type: 'finished', state: 'succeeded' });
  // Nobody ever had this one, and still its end is told and counted.
  const cancelled = await accept({ name: 'shop', k: 'shop', batches: [['shop1']] });
  await askDeployment(redis, keys, { id: cancelled, name: 'shop' }, 'cancel', 'ann');
  // A dry run is told to nobody.
  await (await take({ dryRun: true })).append({ type: 'finished', state: 'succeeded' });

  const notes = async () =>
    (await journalOf(journal.id)).flatMap((event) =>
      event.type === 'notified' || event.type === 'notify-failed' ? [event] : [],
    );
  await expect.poll(async () => (await notes()).length, { timeout: 20_000 }).toBe(5);
  const told = new Map((await notes()).map((event) => [event.notifier, event]));
  expect(told.get('busy')).toMatchObject({ type: 'notified', attempts: 3, notice: 'finished' });
  expect(told.get('floods')).toMatchObject({ type: 'notified', attempts: 1 });
  expect(told.get('refuses')).toMatchObject({ type: 'notify-failed', attempts: 1, error: { code: 'notify' } });
  expect(told.get('moved')).toMatchObject({ type: 'notify-failed', attempts: 1 });
  expect(told.get('robot')).toMatchObject({
    type: 'notify-failed',
    attempts: 1,
    error: { what: 'refused with code 93000: invalid webhook url' },
  });
  const ends = receiver.at('/busy').map(({ body }) => JSON.parse(body));
  expect(ends.filter(({ deployment }) => deployment === journal.id)).toHaveLength(3);
  await expect.poll(() => receiver.at('/refuses/k-e-y-of-it').length, { timeout: 20_000 }).toBe(2);
  const refused = receiver.at('/refuses/k-e-y-of-it').map(({ body }) => JSON.parse(body));
  expect(refused.find(({ deployment }) => deployment === cancelled)).toMatchObject({
    state: 'cancelled',
    error: { what: expect.stringContaining('cancelled by ann') },
  });
  expect(await redis.hget(keys.metrics, 'rexdeploy_deployments_total|shop|deploy|cancelled')).toBe('1');
  expect(receiver.at('/hook')).toHaveLength(0);
  expect(JSON.stringify([...told.values()])).not.toContain('k-e-y-of-it');
  expect(worker.child.tail()).not.toContain('k-e-y-of-it');
  expect(await redis.hget(keys.metrics, 'rexdeploy_notifications_total|busy|retried')).toMatch(/^[2-4]$/);
  expect(await redis.hget(keys.metrics, 'rexdeploy_notifications_total|robot|failed')).toMatch(/^[12]$/);
});
