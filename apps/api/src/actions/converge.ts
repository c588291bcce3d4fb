import { convergeParamsSchema } from '@rexdeploy/shared/api/release-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { findRelease } from './find-release.js';
import { startRollout } from './start-rollout.js';

const WORDING = { missing: (names: string) => messages.missingParams('converge', names) };

/** `action=converge`: brings a mixed fleet to one release; only what differs is touched. */
export const converge =
  (parts: ApiParts): Action =>
  async (call) => {
    const checked = checkParams(convergeParamsSchema, call.params, WORDING);
    return startRollout(parts, call, checked, ({ name }) => ({
      source: { kind: 'release', to: findRelease(checked.to, name, ['newest', 'former']) },
    }));
  };
