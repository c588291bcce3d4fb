import { type ErrorFacts, RexError } from './rex-error.js';

/** A package that cannot be had or must not be unpacked; `where` names the entry, address or id. */
export class PackageError extends RexError {
  override readonly code: string = 'package';
}

/** A package larger than `packages.max_bytes`. */
export class PackageTooLargeError extends PackageError {
  override readonly code = 'package_too_large';
}

/** The balancer is not in the state that was asked for. */
export class BalancerError extends RexError {
  override readonly code = 'balancer';
}

/** The instance did not become healthy; `what` holds the last observation. */
export class HealthError extends RexError {
  override readonly code = 'health';
}

/** A step of one instance failed. Thrown by the step runner alone. */
export class StepError extends RexError {
  override readonly code = 'step';
  readonly instance: string;
  readonly step: string;
  constructor(instance: string, step: string, cause: RexError) {
    super({ where: `${instance} ${step}`, what: cause.message, cause });
    this.instance = instance;
    this.step = step;
  }
}

/** A roll-out that stopped; `what` says which instance failed, whether it was brought back and what was left alone. */
export class RolloutError extends RexError {
  override readonly code = 'rollout';
  constructor(facts: ErrorFacts) {
    super(facts);
  }
}

/** Something is not as the dry run saw it whose hash the request gave; nothing was touched. */
export class PlanChangedError extends RexError {
  override readonly code = 'plan_changed';
}

/** A roll-out that was stopped on request; `what` says what has the new release and what was not touched. */
export class CancelledError extends RexError {
  override readonly code = 'cancelled';
}
