import type { Target } from '@rexdeploy/shared/config/resolved';
import { ConflictError, ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { z } from 'zod';
import { follow } from '../journal/follow.js';
import type { ApiParts } from '../parts.js';
import { askRedis } from '../redis/ask.js';

const keptSchema = z.looseObject({ name: z.string(), batches: z.string() });

/**
 * What can be known of a plan without asking a host: that a dry run printed it, for this target.
 * @throws ParameterError; ConflictError
 */
export async function mustKnowPlan(
  { redis, keys }: ApiParts,
  plan: string,
  target: Target,
  dryRun: boolean,
): Promise<void> {
  if (dryRun) throw new ParameterError({ what: 'plan goes with a deployment, not with dry_run=1, which prints one' });
  const kept = await askRedis(() => redis.get(keys.plan(plan)));
  if (kept === null) {
    throw new ConflictError({
      what: `plan=${plan}: no dry run of the last 7 days printed it`,
      whatToDo: 'make a dry run again',
    });
  }
  const { name, batches } = keptSchema.parse(JSON.parse(kept));
  const wanted = target.batches.map((batch) => batch.join(' ')).join(', ');
  if (name === target.name.k && batches === wanted) return;
  throw new ConflictError({ what: `plan=${plan} is for ${name} (${batches}), not for ${target.name.k} (${wanted})` });
}

/** Waits until a worker has confirmed or refused the plan, or the signal is aborted. */
export async function waitForPlan(parts: ApiParts, id: string, signal: AbortSignal): Promise<void> {
  for await (const { event } of follow(parts, id, undefined, signal)) {
    if (event.type === 'plan-confirmed' || event.type === 'finished') return;
  }
}

/** Did the deployment end because something was not as planned? */
export const isRefusedPlan = ({ error }: DeploymentState): boolean => error?.code === 'plan_changed';
