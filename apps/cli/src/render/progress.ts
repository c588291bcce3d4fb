import type { JournalEvent } from '@rexdeploy/shared/journal/events';
import { reduce } from '@rexdeploy/shared/journal/reduce';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { Rate } from './rate.js';

/** A job as its events so far tell it, and what only a viewer wants to know: rates, and how far a step has come. */
export class Progress {
  #state: DeploymentState | undefined;
  readonly #rates = new Map<string, Rate>();
  readonly #marks = new Map<string, { step: string; mark: string }>();

  get state(): DeploymentState | undefined {
    return this.#state;
  }

  /** @throws Error when the event does not follow from those before it */
  add(event: JournalEvent): void {
    this.#state = reduce(this.#state, event);
    if (event.type === 'step-progress') this.#rate(event.instance).add(Date.parse(event.at), event.bytes);
    if (event.type === 'step-mark') this.#marks.set(event.instance, event);
    if (event.type === 'step-started') this.#marks.delete(event.instance);
  }

  /** Bytes a second of the instance's transfer; undefined while that is not known. */
  rateOf(instance: string): number | undefined {
    return this.#rates.get(instance)?.perSecond();
  }

  /** How far the step has come that the instance is in. */
  markOf(instance: string, step: string): string | undefined {
    const mark = this.#marks.get(instance);
    return mark?.step === step ? mark.mark : undefined;
  }

  #rate(instance: string): Rate {
    const rate = this.#rates.get(instance) ?? new Rate();
    this.#rates.set(instance, rate);
    return rate;
  }
}
