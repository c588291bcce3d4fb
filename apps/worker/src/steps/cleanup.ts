import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { scripts } from '../hosts/remote-scripts.js';
import { instanceContext, isThere, type RolloutContext } from '../rollout/context.js';
import { forEachLimited, LIGHT_PARALLEL } from '../rollout/limited.js';
import { noteOf } from '../rollout/locks.js';

/**
 * Removes releases beyond `keep_releases`, never the current, the former or the marked one, and gives back the lock of each
 * instance in the same trip. The roll-out has succeeded by then: what cannot be removed is journaled as a warning and does
 * not undo that.
 */
export async function cleanUp(rollout: RolloutContext): Promise<void> {
  await forEachLimited(rollout.journal.state.request.batches.flat(), LIGHT_PARALLEL, (key) =>
    cleanInstance(rollout, key),
  );
}

async function cleanInstance(rollout: RolloutContext, key: string): Promise<void> {
  const { journal, name, signal } = rollout;
  try {
    const facts = journal.state.instances[key]?.record;
    // Where nothing came on, nothing has to go.
    if (facts === undefined || isThere(rollout, key)) return;
    const context = instanceContext(rollout, key);
    const { programDir, configDir } = context.plan;
    const label = await rollout.history.findMark(key);
    const marked = (dir: string): string => (label === undefined ? '' : `${dir}_${label}`);
    const { program } = facts;
    const args = [
      String(name.keepReleases),
      noteOf(context),
      programDir,
      program.after,
      program.real ?? '',
      marked(programDir),
    ];
    if (configDir !== undefined && facts.config !== undefined) {
      args.push(configDir, facts.config.after, facts.config.real ?? '', marked(configDir));
    }
    const result = await (await context.host()).run(scripts.cleanup, args, { signal });
    rollout.lately.unlocked.add(key);
    const removed = result.stdout.split('\n').filter((line) => line.startsWith('removed\t'));
    if (removed.length === 0) return;
    const message = `old releases removed: ${removed.map((line) => line.slice(8)).join(' ')}`;
    await journal.append({ type: 'log', level: 'info', instance: key, step: 'cleanup', message });
  } catch (error) {
    if (error instanceof ControlFlow || signal.aborted) throw error;
    const message = `old releases could not be removed: ${toRexError(error).message}`;
    await journal.append({ type: 'log', level: 'warn', instance: key, step: 'cleanup', message });
  }
}
