import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import { afterEach, describe, expect, test } from 'vitest';
import { rexInFolder } from './support/rex.js';
import { sampleJournal } from './support/sample-journal.js';
import { startStubApi } from './support/stub-api.js';
import { PseudoTerminal } from './support/terminal.js';

const JOB = 'dep-01KJQ4YB3V5N8W2T9R6C1D0XGZ';
const REX = fileURLToPath(new URL('../apps/cli/bin/rex.js', import.meta.url));
const NAMES = {
  '0': { k: 'server', desc: 'the shop', instances: { '0': { instance: 'server1', host: '10.0.0.1' } } },
  '1': { k: 'search', desc: '', instances: {} },
};
const cli = rexInFolder();
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

/** What is offered at the end of `words`; nothing, where the API takes longer to answer than a press of Tab may. */
async function offered(words: string[], env: Record<string, string> = {}): Promise<string[]> {
  const { code, stdout, stderr } = await cli.rex(['__complete', ...words], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
}

describe('what is offered', () => {
  test('names, instances and jobs, from the API', async () => {
    await using api = await startStubApi({
      events: sampleJournal(JOB),
      names: NAMES,
      packages: { '0': { package: 'pkg-7' } },
    });
    const env = { REX_SERVER: api.url, REX_TOKEN: api.token };
    await expect.poll(() => offered(['deploy', '--k', 'se'], env)).toEqual(['server', 'search', 'server1']);
    await expect.poll(() => offered(['watch', ''], env)).toEqual([JOB]);
    // It has ended: there is nothing to cancel.
    expect(await offered(['cancel', ''], env)).toEqual([]);
    await expect.poll(() => offered(['deploy', '--k', 'server', '--package', ''], env)).toEqual(['pkg-7']);
    expect(api.requests.at(-1)?.url).toBe('/packages?k=server');
  });

  test('an API that is away, refuses or hangs is not spoken of, nor waited for', async () => {
    expect(await offered(['watch', ''], { REX_SERVER: 'http://127.0.0.1:1', REX_TOKEN: 'x' })).toEqual([]);
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    expect(await offered(['watch', ''], { REX_SERVER: api.url, REX_TOKEN: 'wrong' })).toEqual([]);
  });
});

/** How each shell is started bare, and told of the script. */
const SHELLS = {
  bash: { words: ['--norc', '--noprofile', '-i'], load: 'source <(rex completion bash)' },
  zsh: { words: ['-f', '-i'], load: 'autoload -U compinit; compinit -D -u; source <(rex completion zsh)' },
  fish: { words: ['--no-config', '-i'], load: 'rex completion fish | source' },
} as const;

const isHere = (program: string): boolean => {
  try {
    return findProgram(program) !== '';
  } catch {
    return false;
  }
};

describe('in a real shell, at a press of Tab', () => {
  const here = (Object.keys(SHELLS) as (keyof typeof SHELLS)[]).filter(isHere);

  test.for(here)('%s completes commands, options and names', async (shell) => {
    const api = await startStubApi({ events: sampleJournal(JOB), names: NAMES });
    open.push(api);
    await writeFile(join(cli.dir, 'rex'), `#!/bin/sh\nexec '${process.execPath}' '${REX}' "$@"\n`);
    await chmod(join(cli.dir, 'rex'), 0o755);
    const { words, load } = SHELLS[shell];
    const env = {
      PATH: `${cli.dir}${delimiter}${process.env.PATH}`,
      HOME: cli.dir,
      REX_SERVER: api.url,
      REX_TOKEN: api.token,
      PS1: '$ ',
    };
    const screen = new PseudoTerminal([findProgram(shell), ...words], { cwd: cli.dir, env });
    open.push(screen);
    screen.type(`${load}; echo load''ed\n`);
    await screen.until(/^loaded$/m);
    screen.type('rex conv\t');
    await screen.until(/rex converge/);
    screen.type('--k serv');
    // Where the API is slow, nothing is offered, and whoever waits for it presses Tab once more.
    await expect
      .poll(
        () => {
          if (!screen.text.includes('rex converge --k server')) screen.type('\t');
          return screen.text;
        },
        { interval: 2_000 },
      )
      .toMatch(/rex converge --k server/);
    screen.type(' --on-failure ha\t');
    await screen.until(/--on-failure halt/);
  });
});
