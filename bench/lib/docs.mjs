/** Puts the tables of a run into docs/performance.md, each between its own two marks. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BIOME = fileURLToPath(new URL('../../node_modules/@biomejs/biome/bin/biome', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

/**
 * @param {string} section the word in the marks `<!-- bench <section> -->` and `<!-- end <section> -->`
 * @param {string} text what stands between them from now on
 * @throws Error when the page has no such marks
 */
export function writeSection(section, text) {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = [`<!-- bench ${section} -->`, `<!-- end ${section} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no section ${section}`);
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
  // What `npm run check` would find to correct.
  execFileSync(process.execPath, [BIOME, 'format', '--write', PAGE], { stdio: 'ignore' });
}
