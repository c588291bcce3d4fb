import type { JournalEvent } from '../journal/events.js';
import { type DeploymentState, isLeftBehind } from '../journal/state.js';
import { type Count, count, observe, stored } from './stored.js';

/** Codes of errors that come from hosts or the way to them. */
const OF_HOSTS: ReadonlySet<string> = new Set([
  'connection',
  'auth',
  'host',
  'host_key',
  'sudo',
  'command',
  'transfer',
  'host_locked',
]);

/**
 * What an event adds to the figures; written together with it, so that it counts once.
 * @param before the deployment without the event
 */
export function countEvent(before: DeploymentState, after: DeploymentState, event: JournalEvent): Count[] {
  const { request } = after;
  switch (event.type) {
    case 'finished': {
      const action = actionLabel(request);
      const seconds = (Date.parse(event.at) - (after.turnMs ?? after.acceptedMs)) / 1000;
      return [
        count(stored.deployments, [request.name, action, event.state]),
        ...observe(stored.deploymentSeconds, [action, event.state], Math.max(0, seconds)),
        ...(event.state !== 'succeeded' && isLeftBehind(after)
          ? [count(stored.notBroughtBack, [request.name, action])]
          : []),
      ];
    }
    case 'step-progress': {
      const had = before.instances[event.instance]?.bytes ?? 0;
      // A transfer that begins again tells less than before: all of it is new then.
      const more = event.bytes >= had ? event.bytes - had : event.bytes;
      return more > 0 ? [count(stored.bytes, [request.name], more)] : [];
    }
    case 'step-retried':
      return [count(stored.retries, [event.step, event.error.code]), ...countError(event.error.code)];
    case 'step-done':
      return observe(stored.stepSeconds, [event.step, 'done'], event.ms / 1000);
    case 'undo-done':
      return observe(stored.stepSeconds, [event.step, 'undone'], event.ms / 1000);
    case 'step-failed':
      return [...observe(stored.stepSeconds, [event.step, 'failed'], event.ms / 1000), ...countError(event.error.code)];
    case 'undo-failed':
      return [
        ...observe(stored.stepSeconds, [event.step, 'undo-failed'], event.ms / 1000),
        ...countError(event.error.code),
      ];
    default:
      return [];
  }
}

const countError = (code: string): Count[] => (OF_HOSTS.has(code) ? [count(stored.sshErrors, [code])] : []);

/** Dry runs are no deployments to whoever counts these. */
const actionLabel = ({ action, dryRun }: DeploymentState['request']): string => (dryRun ? 'dry_run' : action);
