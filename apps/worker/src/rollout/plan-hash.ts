import { createHash } from 'node:crypto';
import { PlanChangedError } from '@rexdeploy/shared/errors/deployment-errors';
import { z } from 'zod';
import { inspect } from '../hosts/inspect.js';
import { instanceContext, type RolloutContext } from './context.js';
import { forEachLimited } from './limited.js';

/** Everything that a dry run was about: sentences by what they are about, so that a change can be named. */
const partsSchema = z.record(z.string(), z.string());
type Parts = z.infer<typeof partsSchema>;

/** Ends a dry run with the hash of what it saw. */
export async function hashPlan(context: RolloutContext): Promise<void> {
  const parts = await partsNow(context);
  const hash = hashOf(parts);
  await context.plans.keep(hash, JSON.stringify(parts));
  await context.journal.append({ type: 'plan-hash', hash });
}

/**
 * Makes sure that all is as the dry run saw it whose hash the request gives. Asked once: what this deployment itself
 * changes is no reason to refuse it later.
 * @throws PlanChangedError naming what changed
 */
export async function mustBeAsPlanned(context: RolloutContext): Promise<void> {
  const { request, planHash } = context.journal.state;
  const wanted = request.plan;
  if (wanted === undefined || planHash === wanted) return;
  const now = await partsNow(context);
  if (hashOf(now) === wanted) return context.journal.append({ type: 'plan-confirmed', hash: wanted });
  const kept = await context.plans.find(wanted);
  const planned = kept === undefined ? undefined : partsSchema.safeParse(JSON.parse(kept)).data;
  throw new PlanChangedError({
    where: request.k,
    what: `not as planned, nothing was touched: ${planned === undefined ? 'the plan is no longer known' : changes(planned, now)}`,
    whatToDo: 'look at what changed, then make a dry run again',
  });
}

async function partsNow(context: RolloutContext): Promise<Parts> {
  const { journal, name, signal } = context;
  const { request, package: resolved } = journal.state;
  const parts: Parts = {
    name: name.k,
    batches: request.batches.map((batch) => batch.join(' ')).join(', '),
    full: request.full,
    package: resolved?.program ?? 'none',
  };
  await forEachLimited(request.batches.flat(), name.transfer.parallel, async (key) => {
    const { instance, plan, host, balancer } = instanceContext(context, key);
    const facts = await inspect(await host(), instance, plan, journal.id, {
      exclude: name.exclude,
      listing: false,
      signal,
    });
    const rotation = await balancer.look(signal);
    parts[`${key} host`] = `${instance.host}:${plan.programDir}`;
    parts[`${key} program`] = `${facts.program.kind} ${facts.program.real ?? ''}`;
    parts[`${key} config`] = `${facts.config?.kind ?? 'none'} ${facts.config?.real ?? ''}`;
    parts[`${key} config package`] = resolved?.configs[key]?.manifest ?? 'none';
    parts[`${key} balancer`] = `${rotation.in ? 'in' : 'out'} ${rotation.exact.trim()}`;
  });
  return parts;
}

const sorted = (parts: Parts): [string, string][] => Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));

const hashOf = (parts: Parts): string =>
  createHash('sha256')
    .update(JSON.stringify(sorted(parts)))
    .digest('hex');

function changes(planned: Parts, now: Parts): string {
  const keys = [...new Set([...Object.keys(planned), ...Object.keys(now)])].sort();
  const changed = keys.filter((key) => planned[key] !== now[key]);
  return changed.map((key) => `${key} was "${planned[key] ?? 'none'}" and is "${now[key] ?? 'none'}"`).join('; ');
}
