/** Command-line words of the benches: `--name value`, `--name=value` or, for switches, `--name` alone. */

/**
 * @param {readonly string[]} words
 * @param {Record<string, 'switch' | 'text' | 'number'>} known what may be given
 * @returns {Record<string, string | number | boolean>}
 * @throws Error that names an unknown or incomplete option
 */
export function parseOptions(words, known) {
  const options = {};
  for (let at = 0; at < words.length; at += 1) {
    const match = /^--([a-z-]+)(?:=(.*))?$/.exec(words[at]);
    const kind = match === null ? undefined : known[match[1]];
    if (match === null || kind === undefined) {
      const list = Object.keys(known).map((name) => `--${name}`);
      throw new Error(`unknown option ${words[at]}; there are ${list.join(' ')}`);
    }
    options[match[1]] = readValue(match[1], kind, () => match[2] ?? words[++at]);
  }
  return options;
}

function readValue(name, kind, next) {
  if (kind === 'switch') return true;
  const text = next();
  if (text === undefined) throw new Error(`--${name} needs a value`);
  if (kind === 'text') return text;
  const number = Number(text);
  if (!Number.isFinite(number)) throw new Error(`--${name} needs a number, not ${text}`);
  return number;
}
