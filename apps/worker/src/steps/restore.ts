import { RexError } from '@rexdeploy/shared/errors/rex-error';
import { z } from 'zod';
import { keepOnHost } from '../hosts/rotation.js';
import { awaitNext, isFollowed } from '../rollout/hand-backs.js';
import { type Step, stepState } from '../rollout/step.js';
import { drain, drainFoundSchema, giveBack } from './drain.js';

const foundSchema = z.looseObject({});

/**
 * Puts the instance back into rotation, exactly as `drain` found it. What its host was told of that is forgotten when the
 * deployment gives back its locks.
 */
export const restore: Step = {
  name: 'restore',
  found: foundSchema,
  find: async () => ({}),

  async run(context) {
    const found = drainFoundSchema.safeParse(stepState(context, drain)?.found);
    if (!found.success) throw new RexError({ what: 'the journal does not tell what drain found' });
    if (!isFollowed(context)) {
      await giveBack(context, found.data);
      return { in: found.data.in };
    }
    await giveBack(context, found.data, { isFollowed: true });
    awaitNext(context, () => giveBack(context, found.data));
    return { in: found.data.in, counts: 'with the next drain' };
  },

  /** What failed later is brought back out of rotation too; `drain` gives the rotation back when it is whole again. */
  async undo(context) {
    const found = drainFoundSchema.safeParse(stepState(context, drain)?.found);
    if (!found.success) return {};
    if (found.data.in && context.instance.balancer.type !== 'none') await keepOnHost(context, 'remember', found.data);
    await context.balancer.takeOut(found.data, context.signal);
    return {};
  },
};
