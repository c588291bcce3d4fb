import { randomInt } from 'node:crypto';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import type { RecordFacts, Side } from '@rexdeploy/shared/journal/events';
import { z } from 'zod';
import { checkFacts } from '../hosts/answers.js';
import { scripts } from '../hosts/remote-scripts.js';
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
    const { instance, plan, signal } = context;
    const args = [plan.programDir, plan.configDir ?? '', instance.process ?? ''];
    const result = await (await context.host()).run(scripts.observe, args, { signal });
    const answer = checkFacts(answerSchema, result.stdout, instance.host, 'observe');
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

/** Where the former release lies now: a plain directory has made way. */
function formerSide(context: InstanceContext, side: Side): Side {
  return side.kind === 'directory' ? { ...side, real: `${side.path}${beforeSuffix(context)}` } : side;
}
