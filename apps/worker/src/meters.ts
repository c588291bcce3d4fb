import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { type Count, observe, stored } from '@rexdeploy/shared/metrics/stored';
import { type WorkerFigures, workerFigures } from '@rexdeploy/shared/metrics/worker-figures';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import type { Redis } from 'ioredis';

const LOOP_RESOLUTION_MS = 20;
const NS_PER_SECOND = 1e9;
/** Figures of a worker that is gone vanish by themselves. */
const KEEP_SECONDS = 60;

/**
 * Figures of this process that belong to no event: added up here and brought to Redis now and then. What a process that
 * dies had not brought yet is lost; figures of deployments and steps never come this way.
 */
export class Meters {
  readonly #counts = new Map<string, number>();
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  constructor() {
    this.#loop.enable();
  }

  /** An append took so long. */
  appended(ms: number): void {
    this.add(...observe(stored.appendSeconds, [], ms / 1000));
  }

  add(...counts: Count[]): void {
    for (const [field, amount] of counts) this.#counts.set(field, (this.#counts.get(field) ?? 0) + amount);
  }

  /** Brings everything to Redis, and how this worker is. */
  async flush(redis: Redis, keys: Keys, worker: string): Promise<void> {
    const figures: WorkerFigures = { loopLagSeconds: this.#takeLag() };
    const all = redis
      .pipeline()
      .set(keys.worker(worker), JSON.stringify(workerFigures.parse(figures)), 'EX', KEEP_SECONDS);
    for (const [field, amount] of this.#counts) all.hincrbyfloat(keys.metrics, field, amount);
    this.#counts.clear();
    await all.exec();
  }

  close(): void {
    this.#loop.disable();
  }

  /** How late timers were in the worst hundredth of the time since the last call. */
  #takeLag(): number {
    const late = this.#loop.percentile(99) / NS_PER_SECOND - LOOP_RESOLUTION_MS / 1000;
    this.#loop.reset();
    return Math.max(0, Number.isFinite(late) ? late : 0);
  }
}
