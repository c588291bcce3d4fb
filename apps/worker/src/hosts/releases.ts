import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { labelOf } from '@rexdeploy/shared/deployments/release-label';
import type { Side } from '@rexdeploy/shared/journal/events';
import type { Transport } from '@rexdeploy/ssh/transport';
import { z } from 'zod';
import { checkFacts } from './answers.js';
import { parseMeta, type ReleaseMeta } from './meta.js';
import { scripts } from './remote-scripts.js';

/** A release that lies on a host, in use or not. */
export interface KeptRelease {
  path: string;
  label: string;
  meta?: ReleaseMeta | undefined;
  linked: boolean;
}

/** The releases of one directory of an instance. */
export interface SideReleases {
  kind: Side['kind'] | 'other';
  /** Where the directory leads; absent when it leads nowhere. */
  real?: string | undefined;
  kept: KeptRelease[];
}

export interface InstanceReleases {
  program: SideReleases;
  config?: SideReleases | undefined;
  /** Matching processes; absent without a pattern. */
  processes?: number | undefined;
  /** Of the directories asked about, those that are there. */
  there: ReadonlySet<string>;
}

const kind = z.enum(['link', 'directory', 'absent', 'other']);
const answerSchema = z.object({
  'program.kind': kind,
  'config.kind': kind.optional(),
  processes: z.coerce.number().int().nonnegative().optional(),
});

/**
 * The releases that lie on an instance's host, in one trip; nothing is changed.
 * @param asked further directories of which is told whether they are there
 */
export async function listReleases(
  transport: Transport,
  instance: ResolvedInstance,
  asked: readonly string[],
  signal: AbortSignal,
): Promise<InstanceReleases> {
  const { programDir, configDir, process, host } = instance;
  const args = [programDir, configDir ?? '', process ?? '', ...asked];
  const { stdout } = await transport.run(scripts.releases, args, { signal, timeoutMs: 60_000 });
  const facts = checkFacts(answerSchema, stdout, host, 'releases');
  const lines = stdout.split('\n').map((line) => line.split(/\t(.*)/s));
  const values = (name: string): string[] => lines.flatMap(([key, value = '']) => (key === name ? [value] : []));
  const side = (prefix: string, dir: string, found: z.infer<typeof kind>): SideReleases => ({
    kind: found,
    real: values(`${prefix}.real`)[0] || undefined,
    kept: readKept(lines, prefix, dir),
  });
  return {
    program: side('program', programDir, facts['program.kind']),
    config:
      configDir === undefined || facts['config.kind'] === undefined
        ? undefined
        : side('config', configDir, facts['config.kind']),
    processes: facts.processes,
    there: new Set(values('there')),
  };
}

/** What follows a `.release` is about that one. */
function readKept(lines: readonly string[][], prefix: string, dir: string): KeptRelease[] {
  const kept: KeptRelease[] = [];
  for (const [key, value = ''] of lines) {
    const last = kept.at(-1);
    if (key === `${prefix}.release`) {
      const label = labelOf(value, dir);
      if (label !== undefined) kept.push({ path: value, label, linked: false });
    } else if (key === `${prefix}.meta` && last !== undefined) last.meta = parseMeta(value);
    else if (key === `${prefix}.linked` && last !== undefined) last.linked = true;
  }
  return kept;
}
