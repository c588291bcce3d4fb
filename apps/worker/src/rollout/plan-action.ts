import { releaseStamp } from '@rexdeploy/shared/clock';
import type { NewEvent } from '@rexdeploy/shared/journal/events';
import type { RolloutContext } from './context.js';
import { planConverge } from './converge.js';
import { makePlan } from './plan.js';
import { planRollback } from './rollback.js';

/** The events that are a deployment's plan. For a release that lies on the hosts already, these are looked at first. */
export async function planAction(context: RolloutContext): Promise<NewEvent[]> {
  const { journal, name, config } = context;
  const { source, action } = journal.state.request;
  if (source.kind !== 'release') return [{ type: 'planned', ...makePlan(journal.state, name, config.timezone) }];
  // Also without a release of its own it has a stamp: what makes way is named after it.
  const suffix = releaseStamp(journal.state.stampMs, config.timezone);
  return (action === 'converge' ? planConverge : planRollback)(context, source.to, suffix);
}
