import { CommandError, TransferError } from '@rexdeploy/shared/errors/host-errors';
import type { Manifest } from '@rexdeploy/store/manifest';
import { totalSize } from '@rexdeploy/store/manifest';
import { z } from 'zod';
import { checkFacts } from '../hosts/answers.js';
import { findExclusions } from '../hosts/exclusions.js';
import { type InstanceFacts, inspect } from '../hosts/inspect.js';
import { metaLine } from '../hosts/meta.js';
import { scripts } from '../hosts/remote-scripts.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Step } from '../rollout/step.js';
import { makeDelta } from '../transfer/delta.js';
import { resumeTransfer } from '../transfer/resume.js';
import { sharedFolder, sharedList } from '../transfer/shared.js';
import { checkSpace, needsOf, programSize } from '../transfer/space.js';
import { shipmentOf } from '../transfer/stage-stream.js';
import { configPackageOf, wantedTrees } from '../transfer/wanted.js';

/** Bytes must move within this time, or the connection counts as dead. */
const IDLE_TIMEOUT_MS = 60_000;
/** A release of some hundred GB on a slow line. */
const STAGE_TIMEOUT_MS = 6 * 3600_000;
/** Progress is journaled at most this often; readers need no more, and Redis keeps it all. */
const PROGRESS_STEP_MS = 500;

/** A release that is written to all the time is not looked at for ever. */
const MAX_LOOKS = 3;
/** Exit codes of stage.sh: what it copied changed meanwhile; it could not make the release. */
const CHANGED = 97;
const NOT_MADE: ReadonlySet<number | null> = new Set([92, 93, 94, 95]);
/** Lines of what the host's programs said; the first tell most. */
const SHOWN_LINES = 3;
/** File systems take the time from a clock that may be behind by a tick. */
const CLOCK_GRAIN_SECONDS = 0.05;

const foundSchema = z.looseObject({ startMs: z.number() });
type Found = z.infer<typeof foundSchema>;

/**
 * Places the release beside the current one: unchanged files are copied on the host, what differs is sent, everything
 * sent is checked, and only a finished tree gets its name. Nothing in use is touched.
 */
export const stage: Step<Found> = {
  name: 'stage',
  endsOn: ['cancelled', 'leaving'],
  found: foundSchema,

  async find(context) {
    // What would make a later step fail is found out before anything is changed anywhere.
    if (context.looked?.facts === undefined) {
      await look(context, false);
      await context.balancer.look(context.signal);
    }
    return { startMs: Date.now() };
  },

  async run(context) {
    for (let attempt = 1; ; attempt += 1) {
      const facts =
        attempt === 1 ? (takeLooked(context) ?? (await look(context, true))) : withoutTrust(await look(context, true));
      const placed =
        facts.program.staged === undefined ? await place(context, facts) : await alreadyPlaced(context, facts);
      if (!('again' in placed)) return placed;
      if (attempt < MAX_LOOKS) continue;
      throw new TransferError({
        host: context.instance.host,
        what: `the present release of ${context.instance.key} keeps changing while it is copied: ${placed.again}`,
        whatToDo: 'see who writes there; what the app writes belongs into `shared` or `exclude`',
      });
    }
  },

  async undo(context) {
    const { plan } = context;
    const transport = await context.host();
    const pairs = [plan.programDir, plan.programRelease];
    if (plan.configDir !== undefined && plan.configRelease !== undefined && plan.configPresent !== true)
      pairs.push(plan.configDir, plan.configRelease);
    await transport.run(scripts.unstage, pairs, { signal: context.signal });
    return {};
  },
};

function takeLooked({ looked }: InstanceContext): InstanceFacts | undefined {
  const facts = looked?.facts;
  if (looked !== undefined) looked.facts = undefined;
  return facts;
}

async function look(context: InstanceContext, isRun: boolean): Promise<InstanceFacts> {
  const { instance, plan, journal, name, signal } = context;
  const options = { exclude: name.exclude, shared: name.shared, signal };
  const wanted = { listing: isRun, measure: isRun ? ('rest' as const) : undefined };
  return inspect(await context.host(), instance, plan, journal.id, { ...options, ...wanted });
}

/** Somebody writes there now: that size and times are as they were placed proves nothing any more. */
const withoutTrust = (facts: InstanceFacts): InstanceFacts => ({
  ...facts,
  program: { ...facts.program, meta: facts.program.meta && { ...facts.program.meta, manifest: undefined } },
});

type Placed = Record<string, unknown> | { again: string };

/** An attempt was cut off before it could tell, or before it had tidied up. */
async function alreadyPlaced(context: InstanceContext, { program }: InstanceFacts): Promise<Placed> {
  if (program.partial !== undefined) await resumeTransfer(context, { send: [] });
  return { listing: program.staged?.listing, manifest: program.staged?.manifest, bytes: 0 };
}

/** @returns facts of the step, or why everything has to be looked at again */
async function place(context: InstanceContext, facts: InstanceFacts): Promise<Placed> {
  const { instance, plan, journal, store, name, signal } = context;
  const wanted = await wantedTrees(context, facts);
  const { config } = wanted;
  const delta = makeDelta(wanted.base, wanted.program);
  const manifest = await store.manifests.save(delta.target);
  checkSpace(instance.host, needsOf(context, facts, programSize(name.transfer.reuse, delta), config));
  const there = facts.program.partial === undefined ? new Set<string>() : await resumeTransfer(context, delta);
  if (there === undefined) return { again: 'a former attempt ended its work' };

  const bytesTotal = delta.sendBytes + totalSize(config.tree);
  const bytesThere = delta.send.reduce((sum, { path, size }) => sum + (there.has(path) ? size : 0), 0);
  const meter = progressMeter(context, bytesThere, bytesTotal);
  const configPackage = wanted.configPackage ?? configPackageOf(instance, facts);
  const cargo = { delta, there, stated: wanted.stated, config: config.tree };
  const shipment = shipmentOf(cargo, name.transfer.compression, store.blobs, meter.add);
  const merged = instance.configInside === undefined ? {} : { package: configPackage };
  const ended = (await context.host()).run(
    scripts.stage,
    [
      plan.programRelease,
      facts.program.partial === undefined ? 'no' : 'yes',
      metaLine({ deployment: journal.id, manifest, ...merged }),
      delta.keep.length > 0 ? (facts.program.real ?? '') : '',
      // Where nobody has looked at the clock, all counts as changed since.
      String(Math.max(0, (facts.nowSeconds ?? 0) - CLOCK_GRAIN_SECONDS)),
      name.transfer.reuse,
      plan.configPresent === true ? '' : (plan.configRelease ?? ''),
      config.keepCurrent ? (facts.config?.real ?? '') : '',
      JSON.stringify({ deployment: journal.id, package: configPackage }),
      sharedFolder(plan.programDir),
      facts.program.real ?? '',
      sharedList(name.shared),
      String(shipment.lists),
      shipment.packing,
      ...findExclusions(name.exclude),
    ],
    {
      input: shipment.stream,
      onTaken: shipment.taken,
      signal,
      okCodes: [0, CHANGED],
      idleTimeoutMs: Math.max(IDLE_TIMEOUT_MS, copyTime(wanted.program)),
      timeoutMs: STAGE_TIMEOUT_MS,
    },
  );
  const { code, stdout, stderr } = await ended.catch((error: unknown) => {
    throw explain(error, context);
  });
  if (code === CHANGED) return { again: stderr.trim() };
  await meter.end();
  const { listing } = checkFacts(z.object({ listing: z.string() }), stdout, instance.host, 'stage');
  const resumed = there.size;
  const counts = { kept: delta.keep.length, sent: delta.send.length - resumed, resumed };
  return { listing, manifest, bytes: bytesTotal - bytesThere, ...shipment.sent(), ...counts };
}

function explain(error: unknown, { instance }: InstanceContext): unknown {
  if (!(error instanceof CommandError) || !NOT_MADE.has(error.exitCode)) return error;
  const said = error.stderrTail.trim().split('\n').slice(0, SHOWN_LINES).join('; ');
  if (said === '') return error;
  const what = `the release of ${instance.key} could not be made: ${said}`;
  return new TransferError({ host: instance.host, what, cause: error });
}

/** After the last byte the host copies and hashes in silence; 20 MB/s is slow for that. */
const copyTime = (tree: Manifest): number => IDLE_TIMEOUT_MS + totalSize(tree) / 20_000;

function progressMeter(context: InstanceContext, bytesThere: number, bytesTotal: number) {
  const at = { instance: context.instance.key, step: 'stage' };
  let bytes = bytesThere;
  let told = 0;
  let last: Promise<void> = Promise.resolve();
  const tell = (): void => {
    // A lost lease shows at the next awaited append; here it must not become an unhandled rejection.
    const shown = Math.min(bytes, bytesTotal);
    last = context.journal.append({ type: 'step-progress', ...at, bytes: shown, bytesTotal }).catch(() => undefined);
  };
  return {
    add: (more: number): void => {
      bytes += more;
      if (Date.now() - told < PROGRESS_STEP_MS) return;
      told = Date.now();
      tell();
    },
    end: async (): Promise<void> => {
      bytes = bytesTotal;
      tell();
      await last;
    },
  };
}
