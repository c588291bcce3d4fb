import { oneLine } from './notes.js';

/** Writes YAML with comments, which no dump of a document has. */

export type Value = string | number | boolean | readonly string[] | Section;
/** One key of a section; a comment stands above it. An entry without a key is a comment alone. */
export interface Entry {
  comment?: readonly string[] | undefined;
  key?: string | undefined;
  value?: Value | undefined;
}
export type Section = readonly Entry[];

const INDENT = '  ';

export function writeYaml(section: Section, depth = 0): string {
  return section.flatMap((entry) => writeEntry(entry, depth)).join('');
}

/** Comments of what is left out as a whole. */
export const comment = (...lines: string[]): Entry => ({ comment: lines });

function writeEntry({ comment: above = [], key, value }: Entry, depth: number): string[] {
  const lead = INDENT.repeat(depth);
  const comments = above.map((line) => `${lead}# ${oneLine(line)}\n`);
  if (key === undefined || value === undefined) return comments;
  const name = `${lead}${scalar(key)}:`;
  if (!Array.isArray(value)) return [...comments, `${name} ${scalar(value as string | number | boolean)}\n`];
  if (value.every((item) => typeof item === 'string')) return [...comments, `${name} ${flow(value)}\n`];
  return [...comments, `${name}\n`, writeYaml(value as Section, depth + 1)];
}

const flow = (items: readonly string[]): string => `[${items.map((item) => scalar(item)).join(', ')}]`;

/** Plain where nothing could be misread; else in double quotes, whose escapes are those of JSON. */
function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  // `${…}` would be taken for a variable.
  const text = value.replaceAll('${', '${REX_DOLLAR:-$}{').replaceAll(VARIABLE, (_, name: string) => `\${${name}}`);
  const isPlain = /^[A-Za-z/][\w./@:-]*$/.test(text) && !/: |:$|^(y|n|yes|no|on|off|true|false|null|~)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}

/** A variable that is meant as one; see `variable`. */
const VARIABLE = /\$\{REX_DOLLAR:-\$\}\{\uE000([A-Z0-9_]+)\}/g;

/** A text that is taken from the environment. */
export const variable = (name: string): string => `\${\uE000${name}}`;
