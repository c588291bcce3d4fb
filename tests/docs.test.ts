import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { envelopeSchema } from '@rexdeploy/shared/api/envelope-schema';
import { expect, test } from 'vitest';

const root = new URL('../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const pages = [
  'README.md',
  'README.zh-CN.md',
  'CONTRIBUTING.md',
  ...readdirSync(new URL('docs', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** The code blocks of a page, comments of a shell left out: they are in the page's language. */
const blocks = (page: string, language: string): string[] =>
  [...read(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => (match[2] ?? '').replaceAll(/ +#.*$/gm, ''));

test('both READMEs show the same commands and the same answer', () => {
  for (const language of ['sh', 'json']) {
    expect(blocks('README.md', language).length).toBeGreaterThan(0);
    expect(blocks('README.zh-CN.md', language)).toEqual(blocks('README.md', language));
  }
});

test('the answer in the README is one', () => {
  const [answer = ''] = blocks('README.md', 'json');
  const parsed = envelopeSchema.parse(JSON.parse(answer));
  expect(parsed.job?.state).toBe('succeeded');
  expect(answer).not.toMatch(/\d{10}[a-z]{32}/);
});

test.for(pages)('every link of %s leads somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
  const base = new URL(page, root);
  expect(links.filter((link) => !existsSync(new URL(link, base)))).toEqual([]);
});
