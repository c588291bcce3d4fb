import { rollbackParamsSchema } from '@rexdeploy/shared/api/release-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { checkParams } from '../params/check.js';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { findRelease } from './find-release.js';
import { startRollout } from './start-rollout.js';

const WORDING = { missing: (names: string) => messages.missingParams('rollback', names) };

/** `action=rollback`: back to the former release, the marked one, or one that is named. */
export const rollback =
  (parts: ApiParts): Action =>
  async (call) => {
    const checked = checkParams(rollbackParamsSchema, call.params, WORDING);
    const { rollstatus, to } = checked;
    if (rollstatus === '1' && to !== undefined) {
      throw new ParameterError({
        what: `rollstatus=1 and to=${quote(to)} are given: the first goes to the marked release, the second names one`,
      });
    }
    return startRollout(parts, call, checked, ({ name }) => {
      const former = rollstatus === '1' ? 'marked' : 'former';
      return { source: { kind: 'release', to: to === undefined ? former : findRelease(to, name) } };
    });
  };
