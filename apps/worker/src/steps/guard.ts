import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { z } from 'zod';
import { LATELY_MS } from '../rollout/ahead.js';
import { balancerOf, type InstanceContext, type RolloutContext } from '../rollout/context.js';
import { inspectAgain } from '../rollout/look-ahead.js';
import { type Serving, serves, servesNow } from '../rollout/serving.js';
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
    const facts = (await context.lately.inspected.take(context.instance.key)) ?? (await inspectAgain(context));
    const side = ({ path, kind, real }: (typeof facts)['program']) => ({ path, kind, real });
    return {
      program: side(facts.program),
      config: facts.config === undefined ? undefined : side(facts.config),
      processes: facts.processes,
    };
  },

  async run(context, { processes }) {
    if (isForced(context)) return { others: 'not asked: force=1' };
    const others = await anotherServes(context, { runs: processes !== 0 });
    context.lately.guarded.add(context.instance.key);
    return { others };
  },
};

/** A drain that another worker may not have come to is begun by what guards it. */
export async function guardAgain(context: InstanceContext): Promise<void> {
  if (context.lately.guarded.has(context.instance.key) || isForced(context)) return;
  const { in: isIn } = await context.balancer.look(context.signal);
  if (isIn) await anotherServes(context);
}

const IDLE = 'not needed: this one serves nothing now';

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
 * @param options.alone what is to be done with the only instance of its name, which nobody can stand in for
 * @param options.runs no: no process of it was seen. Where it does not answer either it serves nothing; each by itself proves
 *   little, since a pattern may be wrong and a connection may be cut
 * @returns for people: who serves, or why nobody needs to
 * @throws BalancerError when this is the last one that serves
 */
export async function anotherServes(
  context: OneOfName,
  { alone = 'let', runs = true }: { alone?: 'let' | 'refuse'; runs?: boolean } = {},
): Promise<string> {
  const others = othersOfName(context);
  if (context.instance.balancer.type === 'none') return 'no balancer';
  if (context.name.instances.size === 1 && alone === 'let')
    return 'none: the name has one instance, nothing serves meanwhile';
  const [first] = others;
  await context.lately.serving.take(context.instance.key);
  // Two looks in the time of one: mostly they are all that is needed.
  const [itself, firstServes] = await Promise.all([
    servesNow(context, LATELY_MS),
    first !== undefined && servesNow(first, LATELY_MS),
  ]);
  if (first !== undefined && firstServes) return itself ? `${first.instance.key} stays in rotation` : IDLE;
  if (!itself && (!runs || !(await serves(context)))) return IDLE;
  const answers = await Promise.all(others.map(serves));
  const other = others[answers.indexOf(true)];
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

/** All instances of the name that do not go together with this one. */
function othersOfName(context: OneOfName): Serving[] {
  const { journal, name, instance } = context;
  const together = journal.state.batches.find((batch) => batch.instances.includes(instance.key))?.instances ?? [];
  return [...name.instances.values()]
    .filter((other) => !together.includes(other.key))
    .map((other) => ({ ...context, instance: other, balancer: balancerOf(context, other) }));
}
