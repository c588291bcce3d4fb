import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noteOwner, sweepAbandoned } from './abandoned.js';
import { findMarked } from './mark.js';

test('a fleet whose owner was killed is swept with its processes, a living one and a foreign folder are not', async () => {
  const base = mkdtempSync(join(tmpdir(), 'sweep-'));
  const [living, foreign] = [join(base, 'rex-living'), join(base, 'rex-foreign')];
  mkdirSync(living);
  mkdirSync(foreign);
  noteOwner(living);
  const script = `
    const { startFleet } = await import('./packages/sandbox/dist/fleet.js');
    const fleet = await startFleet({ instances: 1, balancer: 'none', base: ${JSON.stringify(base)} });
    console.log(fleet.dir);
    setInterval(() => undefined, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const dir = await new Promise<string>((resolve) => owner.stdout.once('data', (data) => resolve(String(data).trim())));
  const gone = new Promise((resolve) => owner.once('exit', resolve));
  owner.kill('SIGKILL');
  await gone;
  expect(findMarked(dir).length).toBeGreaterThan(0);

  expect(sweepAbandoned(base)).toEqual([dir]);
  expect(findMarked(dir)).toEqual([]);
  expect([dir, living, foreign].map((one) => existsSync(one))).toEqual([false, true, true]);
  rmSync(base, { recursive: true });
});
