import type { InstanceContext } from '../rollout/context.js';
import { scripts } from './remote-scripts.js';

/** Reads an instance after its roll-out. @returns the answer of observe.sh */
export async function observeInstance({ host, instance, plan, signal }: InstanceContext): Promise<string> {
  const args = [plan.programDir, plan.configDir ?? '', instance.process ?? ''];
  return (await (await host()).run(scripts.observe, args, { signal })).stdout;
}
