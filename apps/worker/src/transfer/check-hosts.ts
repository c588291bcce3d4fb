import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { StepError } from '@rexdeploy/shared/errors/deployment-errors';
import { type RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { Manifest } from '@rexdeploy/store/manifest';
import { type InstanceFacts, inspect } from '../hosts/inspect.js';
import { LATELY_MS } from '../rollout/ahead.js';
import { type InstanceContext, instanceContext, isThere, type RolloutContext } from '../rollout/context.js';
import { forEachLimited, LIGHT_PARALLEL } from '../rollout/limited.js';
import { stepState } from '../rollout/step.js';
import { EMPTY, makeDelta } from './delta.js';
import { findOverfull, type Need, NOTHING, needsOf, programSize, shortage, sizeOf, sum } from './space.js';
import { wantedTrees } from './wanted.js';

const STAGE = { name: 'stage' };

/**
 * Looks at every host, and into every balancer, before the first one gets anything: may a release be placed and started
 * there, is the server known, is there room for all that this deployment brings? A
 * host that cannot be reached is left to its own staging, which tries again.
 * @returns what was seen of those that may be staged now
 * @throws StepError of the first instance that could not be staged
 */
export async function checkAllHosts(
  rollout: RolloutContext,
  keys: readonly string[],
): Promise<ReadonlyMap<string, InstanceFacts>> {
  const open = unstaged(rollout, keys);
  const signal = AbortSignal.any([rollout.signal, rollout.cancelled, rollout.leaving]);
  const seen: Seen[] = [];
  const all = new Map<string, InstanceFacts>();
  await forEachLimited(open, LIGHT_PARALLEL, async (key) => {
    const context = { ...instanceContext(rollout, key), signal };
    await judging(context, async () => {
      const facts = await looked(context);
      all.set(key, facts);
      // What is staged before its turn needs no second look where that comes at once.
      context.lately.inspected.begin(key, async () => facts);
      if (facts.program.staged === undefined) seen.push({ context, facts, needs: await atMost(context, facts) });
    });
  });
  const overfull = new Set(findOverfull(seen.flatMap(({ needs }) => needs)).flat());
  const doubtful = seen.filter(({ needs }) => needs.some((need) => overfull.has(need)));
  // Only where it may not fit is it worth to find out what exactly is needed.
  await forEachLimited(doubtful, LIGHT_PARALLEL, async (one) => {
    await judging(one.context, async () => {
      one.needs = await exactly(one);
    });
  });
  const [group] = findOverfull(seen.flatMap(({ needs }) => needs));
  const last = seen.find(({ context }) => context.instance.key === group?.at(-1)?.instance);
  if (group !== undefined && last !== undefined) await fail(last.context, shortage(last.context.instance.host, group));
  return all;
}

/** Those that take something: not one that is staged already, and of one that failed its own step tells. */
function unstaged(rollout: RolloutContext, keys: readonly string[]): string[] {
  const begun = (key: string) => rollout.journal.state.instances[key]?.steps.find(({ step }) => step === STAGE.name);
  return keys.filter((key) => !isThere(rollout, key) && (begun(key)?.status ?? 'running') === 'running');
}

/** Begins to look at hosts and balancers while a package that is in the store already is read. */
export function lookAtHosts(rollout: RolloutContext): void {
  const { request } = rollout.journal.state;
  if (request.source.kind !== 'package' || request.dryRun) return;
  for (const key of unstaged(rollout, request.batches.flat()).slice(0, LIGHT_PARALLEL)) {
    const context = instanceContext(rollout, key);
    const begun = lookAtBoth(context).then(
      (facts) => ({ facts }),
      (error: unknown) => ({ error }),
    );
    context.lately.looked.begin(key, () => begun);
  }
}

/** @throws what was thrown when it was looked at a moment ago, too */
async function looked(context: InstanceContext): Promise<InstanceFacts> {
  const lately = await context.lately.looked.take(context.instance.key);
  if (lately === undefined) return lookAtBoth(context);
  if ('error' in lately) throw lately.error;
  const { real, size } = lately.facts.program;
  // Before the package was read it was a guess whether it takes the place of all.
  return real === undefined || size !== undefined || replaces(context) ? lately.facts : lookAtBoth(context);
}

async function lookAtBoth(context: InstanceContext): Promise<InstanceFacts> {
  const { balancer, signal } = context;
  const [facts] = await Promise.all([look(context), balancer.look(signal, { withinMs: LATELY_MS })]);
  return facts;
}

interface Seen {
  context: InstanceContext;
  facts: InstanceFacts;
  needs: Need[];
}

async function look(context: InstanceContext): Promise<InstanceFacts> {
  const { instance, plan, journal, name, signal } = context;
  // What is replaced is not copied: its size does not matter.
  const measure = replaces(context) ? ('rest' as const) : ('all' as const);
  const options = { exclude: name.exclude, shared: name.shared, listing: true, measure, signal };
  return inspect(await context.host(), instance, plan, journal.id, options);
}

/** Does a package take the place of the whole program? Taken for one that does until it is read. */
const replaces = ({ journal: { state }, instance }: InstanceContext): boolean =>
  state.request.full === '2' &&
  (state.package === undefined || state.package.program !== undefined) &&
  instance.configInside === undefined;

/** No more than this, whatever of the package is on the host already; nothing has to be hashed for it. */
async function atMost(context: InstanceContext, facts: InstanceFacts): Promise<Need[]> {
  const { journal, store, instance, plan } = context;
  const { package: resolved } = journal.state;
  const load = async (manifest: string | undefined): Promise<Manifest> =>
    manifest === undefined ? EMPTY : store.manifests.load(manifest);
  const tree = await load(resolved?.configs[instance.key]?.manifest);
  const program = sizeOf((await load(plan.manifest ?? resolved?.program)).entries);
  const kept = replaces(context) ? NOTHING : (facts.program.size ?? NOTHING);
  return needsOf(context, facts, sum(program, kept), { tree, keepCurrent: true });
}

async function exactly({ context, facts }: Seen): Promise<Need[]> {
  const { base, program, config } = await wantedTrees(context, facts);
  return needsOf(context, facts, programSize(context.name.transfer.reuse, makeDelta(base, program)), config);
}

/** Runs what may fail for good; what a later attempt may see succeed is left to it. */
async function judging(context: InstanceContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof ControlFlow || thrown instanceof StepError) throw thrown;
    context.signal.throwIfAborted();
    const error = toRexError(thrown, context.instance.host);
    if (!error.retryable) await fail(context, error);
  }
}

/** As a step does that failed while it looked. */
async function fail(context: InstanceContext, error: RexError): Promise<never> {
  const at = { instance: context.instance.key, step: STAGE.name };
  if (stepState(context, STAGE) === undefined) await context.journal.append({ type: 'step-started', ...at, found: {} });
  await context.journal.append({ type: 'step-failed', ...at, error: error.toRecord(), ms: 0 });
  throw new StepError(at.instance, at.step, error);
}
