import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { RolloutError } from '@rexdeploy/shared/errors/deployment-errors';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { InstancePlan } from '@rexdeploy/shared/journal/events';
import { wishedOut } from '@rexdeploy/shared/journal/ledger';
import { retry } from '@rexdeploy/ssh/retry';
import { probe } from '../health/url.js';
import { type InstanceReleases, listReleases } from '../hosts/releases.js';
import { hostOf, type RolloutContext } from './context.js';
import { mustFind } from './plan.js';

const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 15_000;

/** An instance and the releases on its host. */
export interface Look {
  instance: ResolvedInstance;
  releases: InstanceReleases;
}

/**
 * Looks at all instances of a request at once, before anything is decided.
 * @param asked directories of an instance of which is asked whether they are there
 * @throws RolloutError naming every instance that could not be looked at
 */
export async function lookAtReleases(
  context: RolloutContext,
  asked: (key: string) => readonly string[],
): Promise<Map<string, Look>> {
  const { journal, name, signal } = context;
  const keys = journal.state.request.batches.flat();
  const looks = new Map<string, Look>();
  const results = await Promise.allSettled(
    keys.map(async (key) => {
      const instance = mustFind(name, key);
      const look = async (): Promise<InstanceReleases> =>
        listReleases(await hostOf(context, instance.host, instance.ssh), instance, asked(key), signal);
      const options = { attempts: name.retries + 1, baseMs: RETRY_BASE_MS, maxMs: RETRY_MAX_MS, signal };
      return { instance, releases: await retry(look, options) };
    }),
  );
  signal.throwIfAborted();
  const faults: string[] = [];
  for (const [index, result] of results.entries()) {
    const key = keys[index] ?? '';
    if (result.status === 'fulfilled') looks.set(key, result.value);
    else faults.push(`${key}: ${toRexError(result.reason).message}`);
  }
  refuseAll(faults);
  return looks;
}

/** @throws RolloutError with all faults, where there are any */
export function refuseAll(faults: readonly string[], whatToDo?: string): void {
  if (faults.length > 0) throw new RolloutError({ what: `${faults.join('; ')}; nothing was touched`, whatToDo });
}

/** For people: `server2 on 10.0.0.2 has 20180530_043756 (linked) 20180521_043510`. */
export function whatItHas({ instance, releases: { program } }: Look): string {
  const kept = program.kept.map(({ label, linked }) => (linked ? `${label} (linked)` : label));
  const other = program.real === undefined || program.kept.some(({ linked }) => linked) ? [] : [program.real];
  return `${instance.key} on ${instance.host} has ${[...kept, ...other].join(' ') || 'no release'}`;
}

/** The label of what is linked; undefined for a plain directory, or one that is no release. */
export const linkedLabel = ({ releases: { program } }: Look): string | undefined =>
  program.kept.find(({ linked }) => linked)?.label;

/** The plan of an instance whose release of that label lies there; undefined where it does not. */
export function planKept(look: Look, label: string): InstancePlan | undefined {
  const { instance, releases } = look;
  const program = releases.program.kept.find((kept) => kept.label === label);
  if (program === undefined) return undefined;
  const config = releases.config?.kept.find((kept) => kept.label === label);
  return { ...planBasics(instance), ...present(program.path, config?.path), manifest: program.meta?.manifest };
}

/** What every plan of an instance holds. */
export const planBasics = ({ key, host, programDir, configDir }: ResolvedInstance) => ({
  instance: key,
  host,
  programDir,
  configDir,
});

/** A release that lies there; without `config` the configuration stays as it is. */
export const present = (program: string, config: string | undefined) => ({
  programRelease: program,
  configRelease: config,
  present: true,
});

/** Does what is planned stand there already? */
export function isLinked({ releases }: Look, plan: InstancePlan): boolean {
  const leadsTo = (side: InstanceReleases['config'], path: string): boolean =>
    side?.kind === 'link' && (side.real === path || side.kept.some((kept) => kept.linked && kept.path === path));
  return (
    leadsTo(releases.program, plan.programRelease) &&
    (plan.configRelease === undefined || leadsTo(releases.config, plan.configRelease))
  );
}

/** Why an instance cannot be left as it is, whatever release it has; undefined when it runs, is healthy and may serve. */
export async function findAilment(
  { findDrained, signal }: RolloutContext,
  { instance, releases }: Look,
): Promise<string | undefined> {
  if (releases.processes === 0) return 'it does not run';
  const drained = await findDrained(instance.key);
  // Out on somebody's wish is no ailment: it is what they want.
  if (drained !== undefined && wishedOut(drained) === undefined) return 'a deployment left it out of rotation';
  if (instance.health === undefined) return undefined;
  const seen = await probe(instance, instance.health, signal);
  return seen.healthy ? undefined : `it is not healthy: ${seen.what}`;
}
