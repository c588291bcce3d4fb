import { expect } from 'vitest';
import { at } from './support/client.js';
import { test } from './support/stand.js';

test('two workers roll ten names at once: each is deployed once, in order, by exactly one worker', async ({
  start,
}) => {
  const { client, fleet } = await start({ fleet: { names: 10, app: false, balancer: 'none' }, workers: 2 });
  const accepted = await Promise.all(
    fleet.names.map(({ name }) => client.rex({ action: 'deploy', k: name, senv: 'uat' })),
  );
  const ids = accepted.map((answer) => answer.body.job?.id ?? '');
  expect(new Set(ids).size).toBe(10);

  const busy = new Set<string>();
  for (const [index, id] of ids.entries()) {
    const ended = await client.get(`/jobs/${id}?wait=60`);
    expect(ended.body.msg).toBeUndefined();
    expect(ended.body.job?.state).toBe('succeeded');
    const workers: unknown[] = [];
    const recorded: unknown[] = [];
    for await (const { type, data } of client.events(id)) {
      if (type === 'claimed') workers.push(data.worker);
      if (type === 'step-done' && data.step === 'record') recorded.push(data.instance);
    }
    expect(workers).toHaveLength(1);
    busy.add(String(workers[0]));
    expect(recorded).toEqual(fleet.names[index]?.keys);
    expect(Object.keys(at(ended.body, 'data', 'data') ?? {})).toEqual(['0', '1', '2']);
  }
  expect(busy.size).toBe(2);
});
