import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeProgram } from '@rexdeploy/cli/program';
import { runCommand } from '@rexdeploy/sandbox/command';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import { deepMerge, type JsonObject } from '@rexdeploy/sandbox/merge';
import { findFreePort } from '@rexdeploy/sandbox/ports';
import { startChild } from '@rexdeploy/sandbox/process';
import { envelopeSchema } from '@rexdeploy/shared/api/envelope-schema';
import { parseConfig } from '@rexdeploy/shared/config/load';
import type { Command } from 'commander';
import { Redis } from 'ioredis';
import { dump, load } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Block, blocksIn, blocksOf, pages, placeOf, readPage } from './support/pages.js';

const root = new URL('../', import.meta.url);
/** Without the comments of a shell: they are in the page's language. */
const texts = (page: string, language: string): string[] =>
  blocksOf(page)
    .filter((block) => block.language === language)
    .map(({ text }) => text.replaceAll(/ +#.*$/gm, ''));

test.for([
  ['README.md', 'README.zh-CN.md'],
  ['docs/getting-started.md', 'docs/getting-started.zh-CN.md'],
  ['docs/migration.md', 'docs/migration.zh-CN.md'],
] as const)('%s and %s show the same commands, settings and answers', ([page, chinese]) => {
  const languages = new Set(blocksOf(page).map(({ language }) => language));
  expect(texts(page, 'sh').length).toBeGreaterThan(0);
  for (const language of [...languages].filter((each) => each !== '')) {
    expect(texts(chinese, language)).toEqual(texts(page, language));
  }
  const headings = (text: string): number => [...text.matchAll(/^#+ /gm)].length;
  expect(headings(readPage(chinese))).toBe(headings(readPage(page)));
});

test('the answer in the README is one', () => {
  const [answer = ''] = texts('README.md', 'json');
  const parsed = envelopeSchema.parse(JSON.parse(answer));
  expect(parsed.job?.state).toBe('succeeded');
  expect(answer).not.toMatch(/\d{10}[a-z]{32}/);
});

describe('links', () => {
  /** As GitHub makes them of headings: the second of a kind gets `-1`, and so on. */
  const anchorsOf = (page: string): Set<string> => {
    const seen = new Map<string, number>();
    return new Set(
      [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
        const anchor = heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
          .replaceAll(' ', '-');
        const before = seen.get(anchor) ?? 0;
        seen.set(anchor, before + 1);
        return before === 0 ? anchor : `${anchor}-${before}`;
      }),
    );
  };

  test.for(pages)('every link of %s leads somewhere', (page) => {
    const links = [...readPage(page).matchAll(/\]\(([^):\s]*)\)/g)].map((match) => match[1] ?? '');
    const base = new URL(page, root);
    const broken = links.filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? base : new URL(file, base);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(target.href.slice(root.href.length)).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe('commands of rex', () => {
  /** In running text, and in blocks that are not run: those that are would show it themselves. */
  const mentionsIn = (page: string): string[] => {
    const inline = [...readPage(page).matchAll(/`(?:npx )?rex ([a-z][^`\n]*)`/g)].map((match) => match[1] ?? '');
    const shown = blocksOf(page).flatMap(({ text }) =>
      [...text.matchAll(/npx rex ([a-z][^#\n|)]*)/g)].map((match) => match[1] ?? ''),
    );
    return [...inline, ...shown];
  };

  test.for(pages.filter((page) => mentionsIn(page).length > 0))(
    'all that %s names are there, with their options',
    (page) => {
      const wrong = mentionsIn(page).filter((mention) => {
        let command: Command = makeProgram();
        const words = mention.trim().split(/\s+/);
        for (let word = words[0]; word !== undefined && command.commands.length > 0; word = words[0]) {
          const sub = command.commands.find((each) => each.name() === word);
          if (sub === undefined) return true;
          command = sub;
          words.shift();
        }
        const known = new Set([...command.options, ...makeProgram().options].map(({ long }) => long));
        return words.some((word) => word.startsWith('--') && word !== '--help' && !known.has(word.split('=')[0] ?? ''));
      });
      expect(wrong).toEqual([]);
    },
  );
});

describe('blocks', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rex-docs-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));
  const put = async (name: string, text: string): Promise<string> => {
    await writeFile(join(dir, name), text, { mode: 0o440 });
    return join(dir, name);
  };

  test('commands that are not run are at least ones that a shell understands, and say why they are not', async () => {
    const blocks = blocksIn('sh').filter(({ notRun }) => notRun !== undefined);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      const checked = await runCommand(findProgram('bash'), [
        '-n',
        await put(`${block.line}-${block.page.replaceAll('/', '-')}`, block.text),
      ]);
      expect({ place: placeOf(block), ...checked }).toMatchObject({ code: 0, stderr: '' });
    }
  });

  test.for(blocksIn('yaml').flatMap((block) => (block.notRun === undefined ? [[placeOf(block), block] as const] : [])))(
    '%s is read by the loader',
    ([, block]) => {
      for (const text of documentsOf(block)) {
        const names = [...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? '');
        const variables = Object.fromEntries(
          names.map((name) => [name, name.endsWith('_URL') ? 'https://hooks.example.com/x' : 'x']),
        );
        const document = load(text) as JsonObject;
        const whole = document.env === undefined ? dump(deepMerge(BASE, placed(document))) : text;
        expect(parseConfig(whole, '/etc/rexdeploy/config.yml', variables).own.key).toBe('prod');
      }
    },
  );

  test('nginx takes what is shown of its configuration', async () => {
    const blocks = blocksIn('nginx');
    expect(blocks.length).toBeGreaterThan(0);
    await mkdir(join(dir, 'logs'));
    for (const block of blocks) {
      const text = block.text.replaceAll(/listen \d+;/g, `listen 127.0.0.1:${await findFreePort('127.0.0.1')};`);
      const conf = await put(
        `${block.line}-${block.page.replaceAll('/', '-')}.conf`,
        `pid ${dir}/pid;\nevents {}\nhttp {\n${text}}\n`,
      );
      const words = ['-t', '-q', '-c', conf, '-p', `${dir}/`, '-e', join(dir, 'logs/error.log')];
      expect({ place: placeOf(block), ...(await runCommand(findProgram('nginx'), words)) }).toMatchObject({ code: 0 });
    }
  });

  test('HAProxy takes what is shown of its configuration', async () => {
    const blocks = blocksIn('haproxy');
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      const checked = await runCommand(findProgram('haproxy'), ['-c', '-f', await put('haproxy.cfg', block.text)]);
      await rm(join(dir, 'haproxy.cfg'));
      expect({ place: placeOf(block), ...checked }).toMatchObject({ code: 0 });
    }
  });

  test('sudo takes the lines for its sudoers', async () => {
    const blocks = blocksIn('sudoers');
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      const file = await put(`sudoers-${block.line}-${block.page.replaceAll('/', '-')}`, block.text);
      expect(await runCommand(findProgram('visudo'), ['-c', '-f', file])).toMatchObject({ code: 0 });
    }
  });

  test('Redis takes its settings, and they are those that the API asks for', async () => {
    const [block] = blocksIn('redis');
    const port = await findFreePort('127.0.0.1');
    const server = await startChild({
      name: 'redis',
      command: findProgram('redis-server'),
      args: [await put('redis.conf', block?.text ?? ''), '--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
      cwd: dir,
      ready: { address: '127.0.0.1', port },
    });
    const redis = new Redis(port, '127.0.0.1');
    try {
      expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
      expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });

  test('units of systemd start what there is', () => {
    const blocks = blocksIn('ini');
    expect(blocks.length).toBeGreaterThan(0);
    for (const { text } of blocks) {
      const program = /^ExecStart=\S+ (?:--\S+ )*(\S+)$/m.exec(text)?.[1] ?? '';
      expect(program).not.toBe('');
      expect(existsSync(new URL(program, root))).toBe(true);
    }
  });
});

/** Several lines of the same key are several ways to write it. */
function documentsOf({ text }: Block): string[] {
  const lines = text.trimEnd().split('\n');
  const [key = ''] = (lines[0] ?? '').split(':');
  return lines.length > 1 && lines.every((line) => line.startsWith(`${key}:`)) ? lines : [text];
}

/** The least that a config holds. */
const BASE: JsonObject = {
  env: { key: 'prod' },
  environments: {
    prod: {
      ssh: { user: 'deploy', private_key: 'keys/deploy' },
      names: { server: { instances: { server1: { host: 'h1', program_dir: '/data/www/html1' } } } },
    },
  },
};
const OF_ENVIRONMENT = new Set(['ssh', 'balancer', 'health']);

/** A part of a config where it belongs. */
function placed(part: JsonObject): JsonObject {
  const keys = Object.keys(part);
  return keys.every((key) => OF_ENVIRONMENT.has(key)) ? { environments: { prod: part } } : part;
}
