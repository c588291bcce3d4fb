import { mkdtemp } from 'node:fs/promises';
import { test } from 'vitest';
import { sampleJournal } from './support/sample-journal.js';
import { startStubApi } from './support/stub-api.js';
import { RexTerminal } from './support/terminal.js';
test('x', async () => {
  const dir = await mkdtemp('/tmp/rex-t-');
  const events = sampleJournal('dep-01KJQ4YB3V5N8W2T9R6C1D0XGZ', 'failing');
  await using api = await startStubApi({ events, given: 7 });
  await using t = new RexTerminal(['deploy', '--k', 'server'], { cwd: dir, env: { REX_SERVER: api.url, REX_TOKEN: api.token }, columns: 80, rows: 20 });
  console.log((await t.until(/server2/)).join('\n'));
  await t.resize(60, 20);
  await t.until(/server2/);
  api.give();
  console.log(await t.ended(), t.isCursorVisible);
  console.log(t.text);
  console.log(JSON.stringify(t.raw));
});
