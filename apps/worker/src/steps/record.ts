import { randomInt } from 'node:crypto';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import type { RecordFacts, Side } from '@rexdeploy/shared/journal/events';
import { z } from 'zod';
import { probe } from '../health/url.js';
import { checkFacts } from '../hosts/answers.js';
import { observeInstance } from '../hosts/observe.js';
import type { InstanceContext } from '../rollout/context.js';
import { type Step, stepState } from '../rollout/step.js';
import { guard, guardFoundSchema } from './guard.js';
import { stage } from './stage.js';
import { beforeSuffix, switchRelease } from './switch.js';

const foundSchema = z.looseObject({ digits: z.string() });
type Found = z.infer<typeof foundSchema>;

const answerSchema = z.object({
  program: z.string(),
  config: z.string().optional(),
  size: z.string(),
  processes: z.coerce.number().optional(),
});

/** Reads the finished instance from its host: links, sizes and processes of the documented record. */
export const record: Step<Found> = {
  name: 'record',
  found: foundSchema,

  /** The nine digits that follow the seconds in `randomStr`. */
  find: async () => ({ digits: String(randomInt(1_000_000_000)).padStart(9, '0') }),

  async run(context, found): Promise<RecordFacts> {
    const { instance, plan } = context;
    const told = (await observedLately(context)) ?? (await observeInstance(context));
    const answer = checkFacts(answerSchema, told, instance.host, 'observe');
    if (answer.processes === 0) {
      throw new HealthError({
        where: instance.host,
        what: `no process of ${instance.key} matches "${instance.process}"`,
      });
    }
    const staged = stepState(context, stage);
    const before = guardFoundSchema.parse(stepState(context, guard)?.found);
    // What lies there already is not staged: its time begins with its turn.
    const startMs = (staged ?? stepState(context, guard))?.startedMs ?? context.journal.state.acceptedMs;
    const switched = z.looseObject({ startAppMs: z.number() }).parse(stepState(context, switchRelease)?.facts);
    return {
      host: instance.host,
      program: { ...formerSide(context, before.program), after: answer.program },
      config:
        before.config === undefined || answer.config === undefined
          ? undefined
          : { ...formerSide(context, before.config), after: answer.config },
      size: answer.size,
      startMs,
      stagedMs: staged?.endedMs ?? startMs,
      startAppMs: switched.startAppMs,
      endMs: stepState(context, { name: 'verify' })?.endedMs ?? Date.now(),
      processNumber: answer.processes,
      randomStr: `${Math.floor(startMs / 1000)}${found.digits}`,
      manifest: z.looseObject({ manifest: z.string().optional() }).parse(staged?.facts ?? {}).manifest ?? plan.manifest,
    };
  },
};

/**
 * What was read right after its proof, where it still answers: an app that died since is looked at again. Undefined where
 * that would be a trip to the host as well.
 */
async function observedLately({ lately, instance, signal }: InstanceContext): Promise<string | undefined> {
  const told = await lately.observed.take(instance.key);
  const { health } = instance;
  if (told === undefined || health === undefined || health.kind === 'command' || health.from === 'host')
    return undefined;
  const { healthy } = await probe(instance, health, signal);
  lately.noteHealth(instance.key, healthy);
  return healthy ? told : undefined;
}

/** Where the former release lies now: a plain directory has made way. */
function formerSide(context: InstanceContext, side: Side): Side {
  return side.kind === 'directory' ? { ...side, real: `${side.path}${beforeSuffix(context)}` } : side;
}
