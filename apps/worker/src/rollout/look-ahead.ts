import { RexError } from '@rexdeploy/shared/errors/rex-error';
import { type InstanceFacts, inspect } from '../hosts/inspect.js';
import { keepOnHost } from '../hosts/rotation.js';
import { LATELY_MS } from './ahead.js';
import { type InstanceContext, instanceContext } from './context.js';
import { askAhead } from './serving.js';
import { stepState } from './step.js';

/** What guard wants to know of an instance. */
export async function inspectAgain(context: InstanceContext): Promise<InstanceFacts> {
  const { instance, plan, journal, name, signal } = context;
  const options = { exclude: name.exclude, listing: false, signal };
  return inspect(await context.host(), instance, plan, journal.id, options);
}

/** While an instance starts, the one whose turn is next is looked at and asked, and its rotation noted on its host, unless that was just done. */
export function lookAtNext(context: InstanceContext): void {
  const { journal, instance } = context;
  const index = journal.state.batches.findIndex(({ instances }) => instances.includes(instance.key));
  const [key] = journal.state.batches[index + 1]?.instances ?? [];
  if (key === undefined || journal.state.batches[index + 1]?.status !== 'waiting') return;
  const next = contextOf(context, key);
  if (next === undefined) return;
  if (next.plan.unchanged === true) return;
  next.lately.inspected.renew(key, () => inspectAgain(next));
  askAhead(next);
  if (isLocked(next)) next.lately.remembered.renew(key, () => remember(next));
}

/** Undefined for one that is configured otherwise by now: its own step tells. */
function contextOf(context: InstanceContext, key: string): InstanceContext | undefined {
  try {
    return instanceContext(context, key);
  } catch (error) {
    if (error instanceof RexError) return undefined;
    throw error;
  }
}

/** To note something takes the instance's lock, which only those have that are staged. */
const isLocked = (context: InstanceContext): boolean => stepState(context, { name: 'stage' }) !== undefined;

/** Batches whose turn comes soon after all are staged. */
const FIRST = 2;

/** While others are still staged, those that go first are asked whether they serve, and their rotation is noted on their hosts. */
export function lookAtFirst(context: InstanceContext): void {
  const { batches } = context.journal.state;
  const { key } = context.instance;
  const isFirst = batches
    .slice(0, FIRST)
    .some(({ status, instances }) => status === 'waiting' && instances.includes(key));
  if (!isFirst) return;
  askAhead(context);
  if (isLocked(context)) context.lately.remembered.begin(key, () => remember(context));
}

/** Notes on its host what an instance's rotation is. @returns that, in the balancer's own words */
async function remember(context: InstanceContext): Promise<string> {
  const seen = await context.balancer.look(context.signal, { withinMs: LATELY_MS });
  if (context.instance.balancer.type === 'none' || !seen.in) throw new Error('there is nothing to give back');
  await keepOnHost(context, 'remember', seen);
  return seen.exact;
}
