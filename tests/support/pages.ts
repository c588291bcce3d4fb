import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

export const readPage = (page: string): string => readFileSync(new URL(page, root), 'utf8');

/** All pages for people, by their path. */
export const pages = [
  'README.md',
  'README.zh-CN.md',
  'CONTRIBUTING.md',
  ...readdirSync(new URL('docs', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
];

/** A fenced block, and what the invisible comment on the line above says of it. */
export interface Block {
  page: string;
  line: number;
  language: string;
  text: string;
  /** Why it is not run: `<!-- not run: reason -->`. */
  notRun: string | undefined;
}

const FENCE = /(?:^<!-- ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$/gms;

export function blocksOf(page: string): Block[] {
  const markdown = readPage(page);
  return [...markdown.matchAll(FENCE)].map((match) => {
    const [whole, comment = '', language = '', text = ''] = match;
    const line = markdown.slice(0, match.index).split('\n').length + (whole.startsWith('<!--') ? 1 : 0);
    return { page, line, language, text, notRun: /^not run: (.+)$/.exec(comment)?.[1] };
  });
}

export const blocksIn = (language: string): Block[] =>
  pages.flatMap(blocksOf).filter((block) => block.language === language);

/** `docs/operations.md:28`, for titles and messages. */
export const placeOf = ({ page, line }: Block): string => `${page}:${line}`;
