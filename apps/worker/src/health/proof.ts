import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import { scripts } from '../hosts/remote-scripts.js';
import type { InstanceContext } from '../rollout/context.js';
import { endOfLog } from './app-log.js';
import { judgeProof } from './judge-proof.js';
import { type ProofRow, parseProof } from './proof-answer.js';
import { healthUrl } from './url.js';

const PROVE_TIMEOUT_MS = 60_000;

/** How the wanted release was found to run. */
export interface Proof {
  by: ProofRow[];
  /** For people. */
  why: string;
}

/** What of an instance's context a proof needs. */
export type ProofContext = Pick<InstanceContext, 'instance' | 'host' | 'signal'> & {
  readonly plan: Pick<InstanceContext['plan'], 'programDir'>;
  readonly journal: Pick<InstanceContext['journal'], 'append'>;
};

/**
 * Makes sure that what runs and answers is the given release and no other: an old process that still listens, a start
 * script that brings up the old directory, a stale working directory. One trip to the host; none where the instance has
 * no service, or nothing tells which its processes are.
 * @param release directory that should run: the new one, or the former after a bring-back
 * @param about `former`: directory that is another release, whatever its name; `step`: whose warning it is when nothing can
 *   be told; `told`: an answer of prove.sh that came with another, which counts where it proves it
 * @returns undefined when nothing was asked or can be told; the latter is journaled
 * @throws HealthError naming the process that is not of the release, and the end of the app's log
 */
export async function proveRelease(
  context: ProofContext,
  release: string,
  {
    former = '',
    step = 'verify',
    told,
  }: { former?: string | undefined; step?: string; told?: string | undefined } = {},
): Promise<Proof | undefined> {
  const { instance, plan, journal, signal } = context;
  const question = { pattern: instance.process, port: ownPort(instance) };
  if (instance.service === undefined || (question.pattern === undefined && question.port === undefined))
    return undefined;
  if (told !== undefined) {
    const early = judgeProof(question, parseProof(told, instance.host));
    if (early.kind === 'proven') return { by: early.by, why: early.why };
  }
  const args = [plan.programDir, release, former, question.pattern ?? '', String(question.port ?? '')];
  const { stdout } = await (await context.host()).run(scripts.prove, args, { signal, timeoutMs: PROVE_TIMEOUT_MS });
  const verdict = judgeProof(question, parseProof(stdout, instance.host));
  switch (verdict.kind) {
    case 'proven':
      return { by: verdict.by, why: verdict.why };
    case 'open': {
      const message = `cannot tell whether ${release} is what answers: ${verdict.why}`;
      await journal.append({ type: 'log', level: 'warn', instance: instance.key, step, message });
      return undefined;
    }
    case 'disproven':
      throw new HealthError({
        where: instance.host,
        what: `${instance.key} does not run ${release}: ${verdict.why}${await endOfLog(context)}`,
        whatToDo: `look into its service: it must end what runs, and start what ${plan.programDir} leads to`,
      });
  }
}

/** The port that the health check asks on the instance's own host; undefined where it asks anything else. */
export function ownPort(instance: ResolvedInstance): number | undefined {
  const { health } = instance;
  if (health === undefined) return undefined;
  const address = healthUrl(health, instance);
  if (!URL.canParse(address)) return undefined;
  const { hostname, port, protocol } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, '');
  const local = health.from === 'host' && (host === 'localhost' || host === '::1' || host.startsWith('127.'));
  if (host !== instance.host.toLowerCase() && !local) return undefined;
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : protocol === 'http:' ? 80 : undefined;
}
