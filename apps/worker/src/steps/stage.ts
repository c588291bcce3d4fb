import type { Manifest } from '@rexdeploy/store/manifest';
import { totalSize } from '@rexdeploy/store/manifest';
import { z } from 'zod';
import { checkFacts } from '../hosts/answers.js';
import { findExclusions } from '../hosts/exclusions.js';
import { type InstanceFacts, inspect, type SideFacts } from '../hosts/inspect.js';
import { metaLine } from '../hosts/meta.js';
import { scripts } from '../hosts/remote-scripts.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Step } from '../rollout/step.js';
import { makeDelta } from '../transfer/delta.js';
import { sharedFolder, sharedList } from '../transfer/shared.js';
import { checkSpace } from '../transfer/space.js';
import { stageStream } from '../transfer/stage-stream.js';
import { wantedTrees } from '../transfer/wanted.js';

/** Bytes must move within this time, or the connection counts as dead. */
const IDLE_TIMEOUT_MS = 60_000;
/** A release of some hundred GB on a slow line. */
const STAGE_TIMEOUT_MS = 6 * 3600_000;
/** Progress is journaled at most this often; readers need no more, and Redis keeps it all. */
const PROGRESS_STEP_MS = 500;

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
    // What would make a later step fail is found out here, before anything is changed anywhere.
    await look(context, false);
    await context.balancer.look(context.signal);
    return { startMs: Date.now() };
  },

  async run(context) {
    const facts = await look(context, true);
    const { staged } = facts.program;
    if (staged !== undefined) return { listing: staged.listing, manifest: staged.manifest, bytes: 0 };
    const transport = await context.host();
    const { instance, plan, journal, store, name, signal } = context;
    const { base, program, config, configPackage } = await wantedTrees(context, facts);
    const delta = makeDelta(base, program);
    const manifest = await store.manifests.save(delta.target);
    checkSpace(instance, facts, totalSize(program) + totalSize(config.tree));
    const bytesTotal = delta.sendBytes + totalSize(config.tree);
    const meter = progressMeter(context, bytesTotal);
    const result = await transport.run(
      scripts.stage,
      [
        plan.programRelease,
        delta.keep.length > 0 ? (facts.program.real ?? '') : '',
        name.transfer.reuse,
        metaLine({ deployment: journal.id, manifest }),
        plan.configRelease ?? '',
        config.keepCurrent ? (facts.config?.real ?? '') : '',
        JSON.stringify({ deployment: journal.id, package: configPackage ?? packageOf(facts.config) }),
        sharedFolder(plan.programDir),
        facts.program.real ?? '',
        sharedList(name.shared),
        ...findExclusions(name.exclude),
      ],
      {
        input: stageStream(delta, config.tree, store.blobs, meter.add),
        signal,
        idleTimeoutMs: Math.max(IDLE_TIMEOUT_MS, copyTime(program)),
        timeoutMs: STAGE_TIMEOUT_MS,
      },
    );
    await meter.end();
    const { listing } = checkFacts(z.object({ listing: z.string() }), result.stdout, instance.host, 'stage');
    return { listing, manifest, bytes: bytesTotal, kept: delta.keep.length, sent: delta.send.length };
  },

  async undo(context) {
    const { plan } = context;
    const transport = await context.host();
    const pairs = [plan.programDir, plan.programRelease];
    if (plan.configDir !== undefined && plan.configRelease !== undefined)
      pairs.push(plan.configDir, plan.configRelease);
    await transport.run(scripts.unstage, pairs, { signal: context.signal });
    return {};
  },
};

async function look(context: InstanceContext, listing: boolean): Promise<InstanceFacts> {
  const { instance, plan, journal, name, signal } = context;
  return inspect(await context.host(), instance, plan, journal.id, { exclude: name.exclude, listing, signal });
}

const packageOf = (config: SideFacts | undefined): string | undefined => config?.meta?.package;

/** After the last byte the host copies and hashes in silence; 20 MB/s is slow for that. */
const copyTime = (tree: Manifest): number => IDLE_TIMEOUT_MS + totalSize(tree) / 20_000;

function progressMeter(context: InstanceContext, bytesTotal: number) {
  const at = { instance: context.instance.key, step: 'stage' };
  let bytes = 0;
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
