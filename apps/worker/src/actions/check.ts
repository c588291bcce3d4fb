import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { RolloutError } from '@rexdeploy/shared/errors/deployment-errors';
import type { Finding, Standing } from '@rexdeploy/shared/journal/events';
import { probe } from '../health/url.js';
import { lookAtLock } from '../hosts/host-lock.js';
import { scripts } from '../hosts/remote-scripts.js';
import { sshSettings } from '../hosts/ssh-settings.js';
import { configuredStanding, lookAtStanding } from '../hosts/standing.js';
import { balancerOf, hostOf, type RolloutContext } from '../rollout/context.js';
import { forEachLimited } from '../rollout/limited.js';
import { mustFind } from '../rollout/plan.js';
import { anotherServes } from '../steps/guard.js';
import { inspectNow, told } from './look.js';

/**
 * All that a deployment makes sure of before it touches anything, for every instance at once, and nothing else.
 * @throws RolloutError naming everything that would stop a deployment
 */
export async function check(context: RolloutContext): Promise<void> {
  const { journal, name } = context;
  const keys = journal.state.request.batches.flat();
  await forEachLimited(keys, name.transfer.parallel, async (key) => {
    const instance = mustFind(name, key);
    const findings = await findingsOf(context, instance);
    await journal.append({ type: 'checked', instance: key, findings, standing: await standingOf(context, instance) });
  });
  const bad = Object.entries(journal.state.checks).flatMap(([key, findings]) =>
    findings.filter(({ ok }) => !ok).map(({ check: what, what: why }) => `${key} ${what}: ${why}`),
  );
  if (bad.length > 0) throw new RolloutError({ what: bad.join('; '), whatToDo: 'mend it before you deploy' });
}

/** A host that cannot be reached is a finding; here its part is left open. */
async function standingOf(context: RolloutContext, instance: ResolvedInstance): Promise<Standing> {
  const seen = await told(context, async () => {
    const host = await hostOf(context, instance.host, instance.ssh);
    return lookAtStanding(host, instance, context.signal);
  });
  return 'value' in seen ? seen.value : configuredStanding(instance);
}

async function findingsOf(context: RolloutContext, instance: ResolvedInstance): Promise<Finding[]> {
  const findings: Finding[] = [];
  const note = async (of: string, look: () => Promise<string | Finding>): Promise<boolean> => {
    const seen = await told(context, look);
    if ('problem' in seen) findings.push({ check: of, ok: false, what: seen.problem });
    else if (typeof seen.value === 'string') findings.push({ check: of, ok: true, what: seen.value });
    else findings.push(seen.value);
    return findings.at(-1)?.ok === true;
  };
  if (await note('ssh', async () => reached(context, instance))) {
    await note('host', () => lookAtHost(context, instance));
    await note('lock', () => lookAtHostLock(context, instance));
  }
  await note('balancer', () => lookAtBalancer(context, instance));
  if (instance.health !== undefined) await note('health', () => lookAtHealth(context, instance));
  await note('rollout', () => anotherServes({ ...context, instance, balancer: balancerOf(context, instance) }));
  return findings;
}

async function reached(context: RolloutContext, instance: ResolvedInstance): Promise<string> {
  await hostOf(context, instance.host, instance.ssh);
  return `${instance.ssh.user}@${instance.host}:${instance.ssh.port}`;
}

async function lookAtHost(context: RolloutContext, instance: ResolvedInstance): Promise<string> {
  const { program, processes } = await inspectNow(context, instance.key);
  const linked = program.real === undefined ? 'nothing is there yet' : `${program.kind} ${program.real}`;
  const { freeBytes = 'unknown', freeInodes = 'unlimited' } = program.disk;
  const free = `bytes free: ${freeBytes}, inodes free: ${freeInodes}`;
  return `${linked}; ${free}${processes === undefined ? '' : `; ${processes} processes`}`;
}

async function lookAtHostLock(context: RolloutContext, instance: ResolvedInstance): Promise<string | Finding> {
  const host = await hostOf(context, instance.host, instance.ssh);
  const lock = await lookAtLock(host, instance.programDir, context.signal);
  if (lock === undefined) return 'free';
  const what = `held by deployment ${lock.deployment} (worker ${lock.worker}) since ${lock.since}`;
  // One of ours is taken over by the next deployment.
  return { check: 'lock', ok: lock.controller === context.controller, what };
}

async function lookAtBalancer(context: RolloutContext, instance: ResolvedInstance): Promise<string> {
  const { balancer } = instance;
  const seen = await balancerOf(context, instance).look(context.signal);
  if (balancer.type === 'nginx') {
    const host = await context.connections.get(sshSettings(balancer.host, balancer.login), { signal: context.signal });
    await host.run(scripts.nginxTest, [balancer.upstream_file], { signal: context.signal });
  }
  if (balancer.type === 'none') return 'none';
  return `${seen.in ? 'in' : 'out of'} rotation (${seen.exact.trim()})`;
}

/** An instance that is not healthy may be the very reason to deploy: told, and no fault. */
async function lookAtHealth(context: RolloutContext, instance: ResolvedInstance): Promise<string> {
  if (instance.health === undefined) return 'not configured';
  const { healthy, what } = await probe(instance, instance.health, context.signal);
  return `${healthy ? 'healthy' : 'NOT healthy'}: ${what}`;
}
