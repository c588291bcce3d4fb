import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import type { Standing } from '@rexdeploy/shared/journal/events';
import type { Transport } from '@rexdeploy/ssh/transport';
import { z } from 'zod';
import { checkFacts } from './answers.js';
import { scripts } from './remote-scripts.js';

const yesNo = z.enum(['yes', 'no']);
const answerSchema = z.object({
  program: yesNo,
  config: yesNo.optional(),
  service: yesNo.optional(),
  processes: z.coerce.number().int().nonnegative().optional(),
});

/** What the configuration says of an instance; nothing of its host. */
export function configuredStanding({
  programDir,
  configDir,
  configInside,
  service,
  process,
}: ResolvedInstance): Standing {
  const inside = configInside === undefined ? undefined : `${programDir}/${configInside}`;
  return {
    programDir,
    configDir: configDir ?? inside,
    service: typeof service === 'string' ? service : service?.start,
    process,
  };
}

/** What of an instance stands on its host. Nothing is refused: what is missing is told. */
export async function lookAtStanding(
  host: Transport,
  instance: ResolvedInstance,
  signal: AbortSignal,
): Promise<Standing> {
  const stands = configuredStanding(instance);
  const script = typeof instance.service === 'string' ? instance.service : '';
  const args = [stands.programDir, stands.configDir ?? '', script, instance.process ?? ''];
  const { stdout } = await host.run(scripts.standing, args, { signal });
  const facts = checkFacts(answerSchema, stdout, instance.host, 'standing');
  const isThere = (answer: 'yes' | 'no' | undefined): boolean | undefined =>
    answer === undefined ? undefined : answer === 'yes';
  return {
    ...stands,
    programThere: isThere(facts.program),
    configThere: isThere(facts.config),
    serviceThere: isThere(facts.service),
    processes: facts.processes,
  };
}
