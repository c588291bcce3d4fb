import { findTarget } from '@rexdeploy/shared/config/find-target';
import type { ResolvedEnvironment, Target } from '@rexdeploy/shared/config/resolved';
import { NotFoundError } from '@rexdeploy/shared/errors/request-errors';
import type { TokenRecord } from '@rexdeploy/shared/tokens';
import { mustAllowName } from '../plugins/auth.js';

/**
 * What `k` names, when the token is for it.
 * @throws ForbiddenError for another's name, whether it exists or not; else as `findTarget`
 */
export function findAllowedTarget(caller: TokenRecord, environment: ResolvedEnvironment, k: string): Target {
  try {
    const target = findTarget(environment, k);
    mustAllowName(caller, target.name.k);
    return target;
  } catch (error) {
    if (error instanceof NotFoundError) for (const word of k.trim().split(/ +/)) mustAllowName(caller, word);
    throw error;
  }
}
