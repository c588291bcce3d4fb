import type { Transport } from '@rexdeploy/ssh/transport';
import { z } from 'zod';
import type { Rotation } from '../balancers/balancer.js';
import type { InstanceContext } from '../rollout/context.js';
import { parseFacts } from './answers.js';
import { scripts } from './remote-scripts.js';

const keptSchema = z.object({
  in: z.literal(true),
  exact: z.string(),
  deployment: z.string(),
  /** Who wished it out: no deployment gives it back then. */
  wish: z.string().optional(),
});

/** What an instance is owed, and whether by somebody's wish. */
export type OwedRotation = Rotation & { wish?: string | undefined };

/** Keeps, or forgets, on the instance's host what its rotation was: the drain ledger's second copy. */
export async function keepOnHost(
  context: InstanceContext,
  verb: 'remember' | 'forget',
  found: OwedRotation,
): Promise<void> {
  const { wish } = found;
  const kept = JSON.stringify({ in: found.in, exact: found.exact, deployment: context.journal.id, wish });
  await (await context.host()).run(scripts.rotation, [verb, kept], { signal: context.signal });
}

/** What lies there from a deployment that ended badly; undefined when nothing does, or it cannot be read. */
export async function recallRotation(host: Transport, signal: AbortSignal): Promise<OwedRotation | undefined> {
  const { rotation } = parseFacts((await host.run(scripts.rotation, ['recall', ''], { signal })).stdout);
  if (rotation === undefined) return undefined;
  try {
    return keptSchema.safeParse(JSON.parse(rotation)).data;
  } catch {
    return undefined; // cut off while it was written
  }
}
