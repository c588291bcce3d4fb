import { setTimeout as pause } from 'node:timers/promises';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { z } from 'zod';
import { probe } from '../health/url.js';
import { inspect } from '../hosts/inspect.js';
import { balancerOf, type InstanceContext, type RolloutContext } from '../rollout/context.js';
import { type Step, stepState } from '../rollout/step.js';

const sideSchema = z.object({
  path: z.string(),
  kind: z.enum(['link', 'directory', 'absent']),
  real: z.string().optional(),
});
export const guardFoundSchema = z.looseObject({
  program: sideSchema,
  config: sideSchema.optional(),
  processes: z.number().optional(),
});
export type GuardFound = z.infer<typeof guardFoundSchema>;

/**
 * Looks at the instance once more before it is touched, and refuses to drain the last healthy one. What it found is
 * what a failure brings back.
 */
export const guard: Step<GuardFound> = {
  name: 'guard',
  found: guardFoundSchema,

  async find(context) {
    const { instance, plan, journal, name, signal } = context;
    const options = { exclude: name.exclude, listing: false, signal };
    const facts = await inspect(await context.host(), instance, plan, journal.id, options);
    const side = ({ path, kind, real }: (typeof facts)['program']) => ({ path, kind, real });
    return {
      program: side(facts.program),
      config: facts.config === undefined ? undefined : side(facts.config),
      processes: facts.processes,
    };
  },

  run: async (context) => ({ others: await (isForced(context) ? 'not asked: force=1' : anotherServes(context)) }),
};

/** Of a roll-out `force` is about freeze windows; of a service it is about who serves meanwhile. */
const isForced = ({ journal: { state } }: RolloutContext): boolean =>
  state.request.action === 'service' && state.request.force === true;

/** The release that ran before, where a link led to it; a plain directory has made way to the new one. */
export function formerLink(context: InstanceContext): string | undefined {
  const found = guardFoundSchema.safeParse(stepState(context, guard)?.found);
  return found.data?.program.kind === 'link' ? found.data.program.real : undefined;
}

/**
 * Makes sure that the name is still served while this instance is out.
 * @param alone what is to be done with the only instance of its name, which nobody can stand in for
 * @returns for people: who serves, or why nobody needs to
 * @throws BalancerError when this is the last one that serves
 */
export async function anotherServes(
  context: OneOfName,
  { alone }: { alone: 'let' | 'refuse' } = { alone: 'let' },
): Promise<string> {
  const others = othersOfName(context);
  if (context.instance.balancer.type === 'none') return 'no balancer';
  if (context.name.instances.size === 1 && alone === 'let')
    return 'none: the name has one instance, nothing serves meanwhile';
  const [first, ...rest] = others;
  // Two looks in the time of one: mostly they are all that is needed.
  const [itself, firstServes] = await Promise.all([serves(context), first !== undefined && serves(first)]);
  if (!itself) return 'not needed: this one serves nothing now';
  if (first !== undefined && firstServes) return `${first.instance.key} stays in rotation`;
  const answers = await Promise.all(rest.map(serves));
  const other = rest[answers.indexOf(true)];
  if (other !== undefined) return `${other.instance.key} stays in rotation`;
  throw new BalancerError({
    where: context.balancer.place,
    what: `${context.instance.key} is the last healthy instance of ${context.name.k} in rotation; it is not drained`,
    whatToDo:
      others.length === 0
        ? 'its batch holds every instance of the name: split the batch in `rollout`'
        : `bring ${others.map((other) => other.instance.key).join(' or ')} back first`,
  });
}

/** An instance among the others of its name; no plan is needed to look at them. */
type OneOfName = RolloutContext & Pick<InstanceContext, 'instance' | 'balancer'>;

type Serving = Pick<InstanceContext, 'instance' | 'balancer' | 'signal'>;

/** All instances of the name that do not go together with this one. */
function othersOfName(context: OneOfName): Serving[] {
  const { journal, name, instance } = context;
  const together = journal.state.batches.find((batch) => batch.instances.includes(instance.key))?.instances ?? [];
  return [...name.instances.values()]
    .filter((other) => !together.includes(other.key))
    .map((other) => ({ instance: other, balancer: balancerOf(context, other), signal: context.signal }));
}

/** One "no" may be a connection that was cut: only so many of them count, this far apart. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 300;

/** In rotation, and healthy where the instance has a health check. */
async function serves(one: Serving): Promise<boolean> {
  for (let look = 1; ; look += 1) {
    if (await servesNow(one)) return true;
    if (look === LOOKS) return false;
    await pause(LOOK_AGAIN_MS, undefined, { signal: one.signal });
  }
}

async function servesNow({ instance, balancer, signal }: Serving): Promise<boolean> {
  const seen = await balancer.look(signal);
  // A server that the balancer's own check calls down gets no request, in rotation or not.
  if (!seen.in || seen.up === false) return false;
  if (instance.health === undefined) return true;
  return (await probe(instance, instance.health, signal)).healthy;
}
