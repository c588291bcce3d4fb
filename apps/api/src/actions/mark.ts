import { markParamsSchema } from '@rexdeploy/shared/api/release-params';
import { deploymentsOf, findMakers } from '@rexdeploy/shared/deployments/history';
import { clearMarks, findMark, putMarks } from '@rexdeploy/shared/deployments/marks';
import { noteMark } from '@rexdeploy/shared/deployments/notes';
import { messages } from '@rexdeploy/shared/errors/messages';
import { answerOf } from '../answers/frame.js';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import { mustDeploy } from '../plugins/auth.js';
import { askRedis } from '../redis/ask.js';
import type { Action } from './action.js';
import { findAllowedTarget } from './find-allowed-target.js';
import { findRelease } from './find-release.js';

const WORDING = { missing: (names: string) => messages.missingParams('mark', names) };

/** `action=mark`: the release that `rollback` with `rollstatus=1` goes to; an empty one clears it. No host is asked. */
export const mark =
  ({ config, redis, keys }: ApiParts): Action =>
  async ({ request, reply, params, caller }) => {
    const { k, to } = checkParams(markParamsSchema, params, WORDING);
    mustDeploy(caller);
    const { name, batches } = findAllowedTarget(caller, config.own, k);
    const label = to === '' ? undefined : findRelease(to, name);
    const instances = batches.flat();
    await askRedis(async () => {
      const before = new Map<string, string>();
      for (const key of instances) {
        const marked = await findMark(redis, keys, key);
        if (marked !== undefined) before.set(key, marked);
      }
      if (label === undefined) await clearMarks(redis, keys, instances);
      else await putMarks(redis, keys, instances, label);
      // Their records show it too.
      await note(before, false);
      if (label !== undefined) await note(new Map(instances.map((key) => [key, label])), true);
    });
    const msg = label === undefined ? `${instances.join(' ')}: no release is marked` : `${label} is marked`;
    return answerOf(request, reply, config, { data: {}, msg });

    async function note(labels: ReadonlyMap<string, string>, marked: boolean): Promise<void> {
      if (labels.size === 0) return;
      const makers = await findMakers(deploymentsOf(redis, keys, name.k), labels);
      for (const [instance, { id }] of makers) await noteMark(redis, keys, id, { instance, marked, by: caller.name });
    }
  };
