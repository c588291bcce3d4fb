import type { JournalEvent } from '@rexdeploy/shared/journal/events';

/** The journal of a deployment that goes on now, batch by batch, as far as a test needs it; its times lie just behind us. */

const STEPS = ['guard', 'drain', 'switch', 'verify', 'restore'] as const;
export const TOTAL = 64 * 1024 ** 2;
/** What is transferred between two events half a second apart. */
export const PIECE = 4 * 1024 ** 2;
const AGE_MS = 20_000;
const STAMP = '20260302_143756';

export class LiveJournal {
  readonly events: JournalEvent[] = [];
  #atMs = Date.now() - AGE_MS;

  constructor(id: string, batches: string[][]) {
    const request = {
      action: 'deploy',
      k: 'server',
      name: 'server',
      batches,
      source: { kind: 'senv' as const, environment: 'uat' },
      full: '1' as const,
      dryRun: false,
      sprint: false,
      param: {},
      by: 'ci',
    };
    this.#add({ type: 'accepted', at: this.#at(0), id, request, stampMs: this.#atMs });
    this.#add({ type: 'claimed', at: this.#at(), worker: 'worker-1', epoch: 1 });
  }

  /** How many events there are; what a test lets the API give. */
  get length(): number {
    return this.events.length;
  }

  /** Transfers so many pieces to an instance; all of it ends the step. */
  stage(instance: string, pieces: number): this {
    const scope = { instance, step: 'stage' };
    this.#add({ type: 'step-started', at: this.#at(), ...scope, found: {} });
    for (let piece = 1; piece <= pieces; piece += 1) {
      const bytes = Math.min(TOTAL, piece * PIECE);
      this.#add({ type: 'step-progress', at: this.#at(500), ...scope, bytes, bytesTotal: TOTAL });
    }
    if (pieces * PIECE >= TOTAL) this.#add({ type: 'step-done', at: this.#at(), ...scope, facts: {}, ms: 500 });
    return this;
  }

  startBatch(batch: number): this {
    this.#add({ type: 'batch-started', at: this.#at(), batch });
    return this;
  }

  startStep(instance: string, step: string): this {
    this.#add({ type: 'step-started', at: this.#at(), instance, step, found: {} });
    return this;
  }

  /** All steps of an instance after its staging. */
  roll(instance: string): this {
    for (const step of STEPS) {
      this.startStep(instance, step);
      this.#add({ type: 'step-done', at: this.#at(), instance, step, facts: {}, ms: 20 });
    }
    this.startStep(instance, 'record');
    const dir = `/data/www/${instance}`;
    const program = { path: dir, kind: 'link' as const, real: `${dir}_20260221_143510`, after: `${dir}_${STAMP}` };
    const times = { startMs: this.#atMs, stagedMs: this.#atMs, startAppMs: this.#atMs, endMs: this.#atMs };
    const facts = { host: '192.168.0.76', program, size: `32M ${dir}`, ...times, randomStr: '1772433470426659803' };
    this.#add({ type: 'step-done', at: this.#at(), instance, step: 'record', facts, ms: 15 });
    return this;
  }

  finishBatch(batch: number): this {
    this.#add({ type: 'batch-finished', at: this.#at(), batch });
    return this;
  }

  /** The step fails, and the instance gets its former release back. */
  fail(instance: string, step: string, what: string): this {
    const scope = { instance, step };
    const error = { code: 'health', what, where: `${instance} ${step}` };
    this.#add({ type: 'step-failed', at: this.#at(), ...scope, error, ms: 30_000 });
    this.#add({ type: 'undo-started', at: this.#at(), instance, step: 'drain' });
    this.#add({ type: 'undo-done', at: this.#at(), instance, step: 'drain', facts: {}, ms: 12 });
    this.#add({ type: 'batch-failed', at: this.#at(), batch: 1, message: what });
    this.#add({ type: 'finished', at: this.#at(), state: 'failed', error });
    return this;
  }

  succeed(): this {
    this.#add({ type: 'finished', at: this.#at(), state: 'succeeded' });
    return this;
  }

  #add(event: JournalEvent): void {
    this.events.push(event);
  }

  #at(afterMs = 10): string {
    this.#atMs += afterMs;
    return new Date(this.#atMs).toISOString();
  }
}
