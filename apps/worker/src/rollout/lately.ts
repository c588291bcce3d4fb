import { Notes } from '../balancers/notes.js';
import type { InstanceFacts } from '../hosts/inspect.js';
import { Ahead } from './ahead.js';

/**
 * What this worker saw a moment ago, so that no step has to look at it again. Nothing of it outlives the run: another worker
 * that takes over looks for itself.
 */
export class Lately {
  /** What balancers told, `healthy <instance>` and `proof <instance>`. */
  readonly notes = new Notes();
  readonly inspected = new Ahead<InstanceFacts>();
  /** The same with all that staging asks for. */
  readonly looked = new Ahead<{ facts: InstanceFacts } | { error: unknown }>();
  /** What instances answered that have just begun to listen. */
  readonly healthy = new Ahead<boolean>();
  /** Whether those serve whose turn is next; what was found healthy is among the notes then. */
  readonly serving = new Ahead<boolean>();
  /** Answers of observe.sh. */
  readonly observed = new Ahead<string>();
  /** The rotation that is noted on an instance's host, as it stands in the balancer. */
  readonly remembered = new Ahead<string>();
  /** Instances of which this worker has seen that others serve meanwhile. */
  readonly guarded = new Set<string>();
  /** Instances whose locks were given back. */
  readonly unlocked = new Set<string>();
  /** What was given back and waits for the next change of its balancer, by the balancer's place. */
  readonly waiting = new Map<string, { instance: string; confirm: () => Promise<void> }>();

  noteHealth(instance: string, isHealthy: boolean): void {
    if (isHealthy) this.notes.keep(`healthy ${instance}`, 'yes');
    else this.notes.forget(`healthy ${instance}`);
  }

  /** Was it healthy when it was asked last, within so many ms? */
  wasHealthy(instance: string, withinMs: number): boolean {
    return this.notes.find(`healthy ${instance}`, withinMs) !== undefined;
  }

  /** What was seen of an instance that is stopped or started now counts no more. */
  forgetRun(instance: string): void {
    this.notes.forget(`healthy ${instance}`);
    this.notes.forget(`proof ${instance}`);
    this.healthy.forget(instance);
    this.observed.forget(instance);
  }
}
