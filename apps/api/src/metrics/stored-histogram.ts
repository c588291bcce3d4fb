import { Histogram } from 'prom-client';

/** Labels as values in the order of their names, and how often each bucket (`le`) was met. */
export interface StoredSeries {
  labels: Record<string, string>;
  /** Upper bound → observations in that bucket alone. */
  buckets: ReadonlyMap<number, number>;
  sum: number;
}

/** A histogram whose figures come from elsewhere: the library's own can only be filled one observation at a time. */
export class StoredHistogram extends Histogram {
  readonly #about: { name: string; help: string; buckets: readonly number[] };
  readonly #series: readonly StoredSeries[];

  constructor(about: { name: string; help: string; buckets: readonly number[] }, series: readonly StoredSeries[]) {
    super({ ...about, buckets: [...about.buckets], registers: [] });
    this.#about = about;
    this.#series = series;
  }

  /** What the library asks for whenever it needs the figures. */
  async getForPromString() {
    const { name, help } = this.#about;
    const values = this.#series.flatMap(({ labels, buckets, sum }) => {
      const upTo = (bound: number): number =>
        [...buckets].reduce((total, [upper, times]) => (upper <= bound ? total + times : total), 0);
      const all = upTo(Number.POSITIVE_INFINITY);
      return [
        ...this.#about.buckets.map((bound) => ({
          metricName: `${name}_bucket`,
          labels: { ...labels, le: bound },
          value: upTo(bound),
        })),
        { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: all },
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: all },
      ];
    });
    return { name, help, type: 'histogram', values };
  }
}
