import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

/** The script itself, under a real `sh`. */
const read = (file: string): string => readFileSync(new URL(`../../scripts/${file}`, import.meta.url), 'utf8');
const text = `${read('common.sh')}\n${read('fence.sh')}\n`;

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rex-fence-'));
  folders.push(folder);
});
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true });
});

interface Passer {
  mode?: string;
  controller?: string;
  deployment?: string;
  stamp?: number;
  epoch?: number;
  seconds?: number;
  script?: string;
}

function pass(passer: Passer = {}): { code: number | null; said: string; answered: string } {
  const args = argsOf(passer);
  const { status, stderr, stdout } = spawnSync('sh', args, { encoding: 'utf8' });
  return { code: status, said: stderr.trim(), answered: stdout.trim() };
}

const SINCE = '2026-01-02T03:04:05Z';

function argsOf(passer: Passer): string[] {
  const { mode = 'hold', controller = 'here', deployment = 'dep-1', stamp = 100, epoch = 1, seconds = 1 } = passer;
  const words = [folder, 'app', mode, controller, deployment, stamp, epoch, 'worker-1', SINCE, seconds, 'own argument'];
  return ['-c', `${text}${passer.script ?? 'echo "$1"'}`, 'rex:test:1', ...words.map(String)];
}

describe('the fence on a host', () => {
  test('lets the owner through as often as it comes, with its own arguments', () => {
    expect(pass()).toEqual({ code: 0, said: '', answered: 'own argument' });
    expect(pass()).toEqual({ code: 0, said: '', answered: 'own argument' });
    expect(readFileSync(join(folder, 'app.lock/owner'), 'utf8')).toBe(`here dep-1 worker-1 ${SINCE}\n`);
  });

  test('refuses a former owner for ever, also after the lock was given back', () => {
    pass({ epoch: 1 });
    expect(pass({ epoch: 2 }).code).toBe(0);
    // Of the same deployment: whoever is the owner all the same, as after Redis was set back, needs a higher number.
    expect(pass({ epoch: 1 })).toMatchObject({ code: 100, answered: '' });
    expect(pass({ epoch: 2, script: read('release-lock.sh') }).code).toBe(0);
    expect(pass({ epoch: 1 }).said).toContain('dep-1 was here since (number 100.2, this one is 100.1)');
  });

  test('refuses an earlier deployment, and a later one takes over what its controller left locked', () => {
    pass({ deployment: 'dep-2', stamp: 200 });
    expect(pass({ deployment: 'dep-1', stamp: 100, epoch: 9 }).code).toBe(90);
    expect(pass({ deployment: 'dep-3', stamp: 300 }).code).toBe(0);
    expect(readFileSync(join(folder, 'app.lock/owner'), 'utf8')).toContain('dep-3');
  });

  test('a lock of another controller keeps out, says whose it is, and can be broken', () => {
    pass({ controller: 'elsewhere', deployment: 'theirs', stamp: 50 });
    const refused = pass();
    expect(refused.code).toBe(99);
    expect(refused.said).toContain(
      `locked by deployment theirs (worker worker-1, controller elsewhere) since ${SINCE}`,
    );
    expect(pass({ mode: 'check' }).code).toBe(0);
    expect(pass({ mode: 'break' }).code).toBe(0);
    expect(pass().code).toBe(0);
  });

  test('`check` makes no lock', () => {
    expect(pass({ mode: 'check' }).code).toBe(0);
    expect(() => readFileSync(join(folder, 'app.lock/owner'))).toThrow();
  });

  test('what a deployment noted of a rotation goes with its lock, where it is wanted so; what another noted stays', () => {
    const note = join(folder, 'app.rotation');
    const script = (word: string): string => `set -- ${word}\n${read('release-lock.sh')}`;
    for (const [deployment, word, stays] of [
      ['dep-1', 'forget', false],
      ['dep-1', '', true],
      ['dep-0', 'forget', true],
    ] as const) {
      writeFileSync(note, `{"in":true,"exact":"server a;","deployment":"${deployment}"}\n`);
      expect(pass({ script: script(word) }).code).toBe(0);
      expect(existsSync(note)).toBe(stays);
    }
  });

  test('a command that changes a balancer runs behind it, with nothing of it around, and tells its own exit code', () => {
    const script = `printf '%s\\n' i h 80 'weight 7' 9 'echo "$REX_WEIGHT $REX_INSTANCE $REX_FOUND \${REX_COMMAND-gone} \${LC_ALL-none}"; type say refuse > /dev/null 2>&1 && echo functions; exit 7' > "$fence_folder/in"
exec < "$fence_folder/in"\n${read('balancer-change.sh')}`;
    expect(pass({ epoch: 3, script })).toEqual({ code: 7, said: '', answered: '9 i weight 7 gone none' });
    expect(pass({ epoch: 3, script: script.replace('exit 7', 'exit 92') })).toMatchObject({
      code: 89,
      said: 'it ended with exit code 92',
    });
    expect(pass({ epoch: 2, script })).toMatchObject({ code: 100, answered: '' });
  });

  test('one command at a time; a second one says so', async () => {
    const holder = pass({ script: 'sleep 30 > /dev/null 2>&1 & echo $!' });
    // The background process still has the mutex, as a script of a worker that is gone may.
    expect(pass({ seconds: 0 })).toMatchObject({ code: 98 });
    execFileSync('kill', ['-9', holder.answered]);
    expect(pass({ seconds: 5 }).code).toBe(0);
  });

  test('a damaged number is no reason to stop', () => {
    writeFileSync(join(folder, 'app.fence'), 'garbage\n');
    expect(pass().code).toBe(0);
  });

  test('a folder that cannot be made is told', () => {
    writeFileSync(join(folder, 'file'), '');
    const args = argsOf({}).map((word) => (word === folder ? join(folder, 'file') : word));
    const { status, stderr } = spawnSync('sh', args, { encoding: 'utf8' });
    expect(status).toBe(92);
    expect(stderr).toContain(join(folder, 'file'));
  });
});
