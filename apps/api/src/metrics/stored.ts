import { type StoredMetric, stored } from '@rexdeploy/shared/metrics/stored';
import { Counter, type Registry } from 'prom-client';
import { StoredHistogram, type StoredSeries } from './stored-histogram.js';

/** Label values that are there from the start: what begins with its first event would hide that one from `increase()`. */
export type FromTheStart = ReadonlyMap<StoredMetric, readonly (readonly string[])[]>;

/** Puts the figures that are kept in Redis into a registry. @param fields the hash under `Keys.metrics` */
export function addStored(
  registry: Registry,
  fields: Readonly<Record<string, string>>,
  fromTheStart: FromTheStart,
): void {
  const rows = Object.entries(fields).map(([field, value]) => {
    const [name = '', ...labels] = field.split('|');
    return { name, labels, value: Number(value) };
  });
  const of = (name: string) => rows.filter((row) => row.name === name);
  for (const metric of Object.values(stored)) {
    if (metric.type === 'histogram') {
      const series = seriesOf(metric, of(`${metric.name}_bucket`), of(`${metric.name}_sum`));
      registry.registerMetric(new StoredHistogram(metric, series));
      continue;
    }
    const counter = new Counter({
      name: metric.name,
      help: metric.help,
      labelNames: [...metric.labels],
      registers: [registry],
    });
    for (const labels of fromTheStart.get(metric) ?? []) counter.inc(labelled(metric, labels), 0);
    for (const { labels, value } of of(metric.name)) counter.inc(labelled(metric, labels), value);
  }
}

interface Row {
  labels: string[];
  value: number;
}

function seriesOf(metric: StoredMetric, buckets: readonly Row[], sums: readonly Row[]): StoredSeries[] {
  return sums.map(({ labels, value: sum }) => {
    const own = buckets.filter((row) => labels.every((label, at) => row.labels[at] === label));
    const counts = own.map(({ labels: all, value }) => [boundOf(all.at(-1)), value] as const);
    return { labels: labelled(metric, labels), buckets: new Map(counts), sum };
  });
}

const boundOf = (le: string | undefined): number => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le));

const labelled = ({ labels }: StoredMetric, values: readonly string[]): Record<string, string> =>
  Object.fromEntries(labels.map((label, at) => [label, values[at] ?? '']));
