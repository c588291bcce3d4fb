import { isExempt, refuseFrozen } from '@rexdeploy/shared/config/freeze';
import type { Config, ResolvedName } from '@rexdeploy/shared/config/resolved';
import { CancelAsked, ControlFlow, HandBack, Held, LeaseLost } from '@rexdeploy/shared/errors/control-flow';
import { CancelledError } from '@rexdeploy/shared/errors/deployment-errors';
import { FrozenError } from '@rexdeploy/shared/errors/request-errors';
import { RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { NewEvent } from '@rexdeploy/shared/journal/events';
import { claim, type Journal } from '@rexdeploy/shared/journal/journal';
import { drainedIn, findDrained } from '@rexdeploy/shared/journal/ledger';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import { describeSpan, failSpan, inTrace, traced } from '@rexdeploy/shared/telemetry/trace';
import { type Connect, Connections } from '@rexdeploy/ssh/connections';
import type { IdleConnections } from '@rexdeploy/ssh/idle-connections';
import type { Store } from '@rexdeploy/store/store';
import type { Redis } from 'ioredis';
import { check } from './actions/check.js';
import { checkUrl } from './actions/check-url.js';
import { observeAll } from './actions/observe.js';
import { serveAll } from './actions/service.js';
import { sweep } from './actions/sweep.js';
import { unlock } from './actions/unlock.js';
import { queryWeights, updateWeights } from './actions/weights.js';
import type { Meters } from './meters.js';
import type { RolloutContext } from './rollout/context.js';
import { endUntold } from './rollout/failure.js';
import { openHistory } from './rollout/history.js';
import { Lately } from './rollout/lately.js';
import { rollOut } from './rollout/rollout.js';

/** What a worker has for every deployment. */
export interface WorkerParts {
  readonly config: Config;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly store: Store;
  /** Name of this worker, for journals. */
  readonly id: string;
  /** Id of the installation, for locks on hosts. */
  readonly controller: string;
  /** Aborted, with HandBack, when this process was asked to end. */
  readonly leaving: AbortSignal;
  /** Do other workers live? */
  readonly othersAlive: () => boolean;
  /** Sends the ticket of a deployment that was in line and has the name now. Never throws: the reconciler does it later. */
  readonly wake: (deploymentId: string) => Promise<void>;
  /** How hosts are reached, where a simulation takes the place of SSH. */
  readonly connect?: Connect;
  /** Connections between two deployments. */
  readonly idle: IdleConnections;
  /** Looks for events that people are told of. Nobody waits for it, and it never throws. */
  readonly tell: () => void;
  readonly meters: Meters;
}

/** How long a dry run may be applied. */
const KEEP_PLAN_SECONDS = 7 * 24 * 3600;

/** How often it is looked whether this worker still owns the deployment, and what was asked meanwhile. */
const WATCH_MS = 500;

/** Far more than any number of restarts that one roll-out meets. */
const MAX_OWNERS = 50;

/** How a run ended, for the queue. */
export type Outcome = 'ended' | 'gone' | 'handed-back' | 'held' | 'lost';

/**
 * Takes one deployment and walks it to its end. A failed roll-out is an `ended` one: its journal says so.
 * @param onChange told of the state after every event, e.g. to show progress in the queue
 * @throws Error when Redis fails; the queue gives the deployment to a worker again then
 */
export async function processDeployment(
  parts: WorkerParts,
  id: string,
  signal: AbortSignal,
  onChange: (state: DeploymentState) => void,
): Promise<Outcome> {
  const owned = await claim(parts.redis, parts.keys, id, parts.id, (ms) => parts.meters.appended(ms));
  if (owned === undefined) return 'gone';
  parts.tell();
  const { action, name, k, trace } = owned.state.request;
  const attributes = {
    'rexdeploy.deployment': id,
    'rexdeploy.action': action,
    'rexdeploy.name': name,
    'rexdeploy.k': k,
    'rexdeploy.worker': parts.id,
    'rexdeploy.epoch': owned.epoch,
  };
  return inTrace(trace, () => traced(`${action} ${name}`, attributes, () => walk(parts, owned, signal, onChange)));
}

async function walk(
  parts: WorkerParts,
  owned: Journal,
  signal: AbortSignal,
  onChange: (state: DeploymentState) => void,
): Promise<Outcome> {
  const journal = observed(owned, (state, events) => {
    if (events.some(({ type }) => TOLD.has(type))) parts.tell();
    watch.see();
    onChange(state);
  });
  const connections = new Connections(parts.connect, parts.idle);
  const watch = watchOver(journal, signal);
  try {
    refuseForEver(journal);
    await run(parts, journal, connections, watch);
    return 'ended';
  } catch (thrown) {
    if (thrown instanceof Held) return 'held';
    if (thrown instanceof HandBack) {
      await journal.append({ type: 'handed-back', worker: parts.id, reason: thrown.message });
      return 'handed-back';
    }
    if (thrown instanceof ControlFlow || watch.signal.aborted) {
      await keepWhatIsOut(parts, journal.state);
      return 'lost';
    }
    // Should Redis be what failed, this append fails too, and the deployment is taken up again later.
    const state = thrown instanceof CancelledError ? 'cancelled' : 'failed';
    if (state === 'failed') failSpan(thrown);
    const { error, events } = endUntold(journal.state, toRexError(thrown));
    await journal.append(...events, { type: 'finished', state, error });
    return 'ended';
  } finally {
    watch.end();
    describeSpan({ 'rexdeploy.state': journal.state.state });
    if (journal.next !== undefined) await parts.wake(journal.next);
    // Whatever failed may have to do with the log-in: who tries again has a new one.
    await connections.closeAll({ keep: journal.state.state !== 'failed' });
  }
}

/** What the actions of requests do; each walks its deployment to the end from wherever the journal stands. */
const ACTIONS: Readonly<Record<string, (context: RolloutContext) => Promise<void>>> = {
  deploy: rollOut,
  release: rollOut,
  rollback: rollOut,
  converge: rollOut,
  check,
  checkurl: checkUrl,
  queryk: queryWeights,
  updatek: updateWeights,
  service: serveAll,
  observe: observeAll,
  sweep,
  unlock,
};

function actionOf(name: string): (context: RolloutContext) => Promise<void> {
  const action = ACTIONS[name];
  if (action !== undefined) return action;
  throw new RexError({ what: `this worker does not know the action ${name}`, whatToDo: 'run a newer worker' });
}

/** Signals of one run: `signal` once it may touch nothing further, `cancelled` once somebody asked for that. */
interface Watch {
  readonly signal: AbortSignal;
  readonly cancelled: AbortSignal;
  /** Takes notice of what the journal learned was asked for. */
  see(): void;
  end(): void;
}

function watchOver(journal: Journal, stop: AbortSignal): Watch {
  const [lost, cancelled] = [new AbortController(), new AbortController()];
  const see = (): void => {
    if (journal.asked?.control === 'cancel') cancelled.abort(new CancelAsked(`cancelled by ${journal.asked.by}`));
  };
  see();
  const timer = setInterval(() => {
    journal.confirm().then(see, (error: unknown) => {
      // Redis may come back; until then every change is refused by its own look.
      if (error instanceof LeaseLost) lost.abort(error);
    });
  }, WATCH_MS);
  return {
    signal: AbortSignal.any([stop, lost.signal]),
    cancelled: cancelled.signal,
    see,
    end: () => clearInterval(timer),
  };
}

/**
 * A Redis that lost its newest second may have lost the whole deployment, and with it the ledger: then this worker alone
 * knows what is out of rotation, and tells the sweeper.
 */
async function keepWhatIsOut({ redis, keys }: WorkerParts, state: DeploymentState): Promise<void> {
  if ((await redis.exists(keys.record(state.id))) === 1) return;
  for (const entry of drainedIn(state)) await redis.hsetnx(keys.drained, entry.instance, JSON.stringify(entry));
}

/** A deployment whose workers keep dying is ended, so that its name does not stay locked for ever. */
function refuseForEver(journal: Journal): void {
  if (journal.epoch <= MAX_OWNERS) return;
  throw new RexError({
    what: `given up after ${MAX_OWNERS} workers began it and none finished`,
    whatToDo: "read the workers' logs, look at its instances (GET /names/<k>?observe=1), then deploy again",
  });
}

async function run(parts: WorkerParts, journal: Journal, connections: Connections, watch: Watch): Promise<void> {
  const { config, store, redis, keys, controller, leaving, othersAlive } = parts;
  const name = config.own.names.get(journal.state.request.name);
  if (name === undefined) {
    throw new RexError({
      what: `the name ${journal.state.request.name} is no longer in the configuration`,
      where: config.file,
      whatToDo: 'put it back, then send the request again',
    });
  }
  mustBeOpen(config, name, journal.state);
  await actionOf(journal.state.request.action)({
    config,
    name,
    journal,
    store,
    connections,
    signal: watch.signal,
    cancelled: watch.cancelled,
    leaving,
    othersAlive,
    worker: parts.id,
    controller,
    plans: {
      keep: async (hash, parts) => {
        await redis.set(keys.plan(hash), parts, 'EX', KEEP_PLAN_SECONDS);
      },
      find: async (hash) => (await redis.get(keys.plan(hash))) ?? undefined,
    },
    findAddress: async () => (await redis.hget(keys.record(journal.id), 'address')) ?? undefined,
    findDrained: (instance) => findDrained(redis, keys, instance),
    history: openHistory(redis, keys, name.k),
    lately: new Lately(),
  });
  await journal.append({ type: 'finished', state: 'succeeded' });
}

/** Nobody knew at its acceptance when the turn of one in line would come. @throws CancelledError in a freeze window */
function mustBeOpen(config: Config, name: ResolvedName, { turnMs, plan, request }: DeploymentState): void {
  if (turnMs === undefined || plan !== undefined || isExempt(request)) return;
  try {
    refuseFrozen(config, name, Date.now());
  } catch (error) {
    if (!(error instanceof FrozenError)) throw error;
    throw new CancelledError({
      what: `its turn came in a freeze window: ${error.what}; nothing was touched`,
      whatToDo: error.whatToDo,
    });
  }
}

/** Events that may be told to people; which of them are, is the herald's business. */
const TOLD: ReadonlySet<NewEvent['type']> = new Set(['batch-finished', 'held', 'finished']);

/** The journal, telling of every change. */
function observed(journal: Journal, onChange: (state: DeploymentState, events: readonly NewEvent[]) => void): Journal {
  return {
    id: journal.id,
    epoch: journal.epoch,
    get state() {
      return journal.state;
    },
    get asked() {
      return journal.asked;
    },
    get next() {
      return journal.next;
    },
    confirm: (withinMs) => journal.confirm(withinMs),
    async append(...events: NewEvent[]) {
      await journal.append(...events);
      onChange(journal.state, events);
    },
  };
}
