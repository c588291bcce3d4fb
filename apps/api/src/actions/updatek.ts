import { updateWeightsParamsSchema } from '@rexdeploy/shared/api/action-params';
import type { Target } from '@rexdeploy/shared/config/resolved';
import { takesWeights } from '@rexdeploy/shared/config/takes-weights';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { WantedWeight } from '@rexdeploy/shared/journal/events';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { startHeld } from './start-held.js';

const WORDING = { missing: (names: string) => messages.missingParams('updatek', names) };

/** `action=updatek`: sets the weight of instances in their balancer; 0 takes them out, `restore` gives back what they had. */
export const updatek =
  (parts: ApiParts): Action =>
  async (call) => {
    const checked = checkParams(updateWeightsParamsSchema, call.params, WORDING);
    const weight = onlyWeight(checked.weight, checked.w);
    return startHeld(parts, call, 'updatek', checked, (target) => {
      mustTake(target, weight);
      // One batch: whoever else serves is asked of the instances that are not meant.
      return { batches: [target.batches.flat()], weight };
    });
  };

function onlyWeight(weight: string | undefined, w: string | undefined): WantedWeight {
  if (weight !== undefined && w !== undefined) {
    throw new ParameterError({ what: 'weight and w are given, which are the same: give one' });
  }
  const text = weight ?? w;
  if (text === undefined) throw new ParameterError({ what: messages.missingParams('updatek', 'weight') });
  return text === 'restore' ? text : Number(text);
}

/** @throws ParameterError naming the instances whose balancer cannot do it */
function mustTake({ name, batches }: Target, weight: WantedWeight): void {
  const instances = batches.flat().flatMap((key) => name.instances.get(key) ?? []);
  const alone = instances.filter(({ balancer }) => balancer.type === 'none');
  if (alone.length > 0) {
    throw new ParameterError({ what: `${alone.map(({ key }) => key).join(' ')}: no balancer is configured` });
  }
  if (weight === 0 || weight === 'restore') return;
  const weightless = instances.filter(({ balancer }) => !takesWeights(balancer));
  if (weightless.length === 0) return;
  throw new ParameterError({
    what: `weight=${weight}: the balancer of ${weightless.map(({ key }) => key).join(' ')} is given no weights here`,
    whatToDo: 'weight=restore gives back what it had; to set others, give `balancer.weight` in config.yml',
  });
}
