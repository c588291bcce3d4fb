/** A strict reader of Prometheus' text format: whatever `promtool check metrics` would refuse is an error here. */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);

/** @throws Error naming the line and what is wrong with it */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let family: Family | undefined;
  let help: { name: string; text: string } | undefined;
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line === '') continue;
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP') {
        if (families.has(name) || rest === '') fail('HELP twice, late or empty');
        help = { name, text: rest };
        continue;
      }
      if (help?.name !== name) fail('TYPE without its HELP');
      if (!TYPES.has(rest)) fail('no such type');
      family = { name, type: rest, help: help?.text ?? '', samples: [] };
      families.set(name, family);
      continue;
    }
    const [, name, labelText = '', valueText = ''] = SAMPLE.exec(line) ?? fail('no sample');
    if (family === undefined || name === undefined || !belongs(name, family)) return fail('a sample of no family');
    const labels = parseLabels(labelText, fail);
    const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
    // Go's ParseFloat, which reads it, takes "Nan" as well.
    if (Number.isNaN(value) && valueText.toLowerCase() !== 'nan') fail('no number');
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) fail('twice');
    seen.add(key);
    family.samples.push({ name, labels, value });
  }
  for (const each of families.values()) checkFamily(each);
  return families;
}

function belongs(name: string, { name: family, type }: Family): boolean {
  const ends =
    type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['', '_sum', '_count'] : [''];
  return ends.some((end) => name === `${family}${end}`);
}

function parseLabels(text: string, fail: (why: string) => never): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, label, value] = LABEL.exec(text) ?? fail('labels are not well formed');
    if (label === undefined || value === undefined || label in labels) return fail('a label twice');
    labels[label] = value;
  }
  return labels;
}

function checkFamily({ name, type, samples }: Family): void {
  const fail = (why: string): never => {
    throw new Error(`${name}: ${why}`);
  };
  if (type === 'counter' && !name.endsWith('_total')) fail('a counter ends with _total');
  if (type !== 'counter' && name.endsWith('_total')) fail('only a counter ends with _total');
  if (type === 'counter' && samples.some(({ value }) => value < 0)) fail('a counter below 0');
  if (type !== 'histogram') return;
  const series = new Map<string, { buckets: [number, number][]; sum?: number; count?: number }>();
  for (const { name: sample, labels, value } of samples) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(Object.entries(rest).sort());
    const one = series.get(key) ?? { buckets: [] };
    series.set(key, one);
    if (sample.endsWith('_bucket')) one.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value]);
    else if (sample.endsWith('_sum')) one.sum = value;
    else one.count = value;
  }
  for (const { buckets, sum, count } of series.values()) {
    if (sum === undefined || count === undefined) fail('a series without sum or count');
    if (buckets.at(-1)?.[0] !== Number.POSITIVE_INFINITY) fail('the last bucket is not +Inf');
    if (buckets.at(-1)?.[1] !== count) fail('count is not that of the last bucket');
    for (const [at, [bound, times]] of buckets.entries()) {
      const [before, fewer] = buckets[at - 1] ?? [Number.NEGATIVE_INFINITY, 0];
      if (!(bound > before) || times < fewer) fail('buckets do not grow');
    }
  }
}

/** The value of one sample; undefined when there is none. */
export function sampleOf(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  return [...families.values()]
    .flatMap(({ samples }) => samples)
    .find((each) => each.name === name && Object.entries(labels).every(([key, value]) => each.labels[key] === value))
    ?.value;
}
