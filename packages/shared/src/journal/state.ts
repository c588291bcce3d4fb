import type { ErrorRecord } from '../errors/rex-error.js';
import type {
  DeployRequest,
  Difference,
  Finding,
  InstancePlan,
  ObservedInstance,
  RecordFacts,
  Standing,
} from './events.js';

/** What the events of one deployment add up to. Made by `reduce` alone. */
export type JobState = 'queued' | 'running' | 'held' | 'succeeded' | 'failed' | 'cancelled';

export interface StepState {
  step: string;
  status: 'running' | 'done' | 'failed' | 'undoing' | 'undone' | 'undo-failed';
  /** What the step found before it changed anything; read on resume and undo, never looked up again. */
  found: Record<string, unknown>;
  facts: Record<string, unknown>;
  startedMs: number;
  endedMs?: number | undefined;
  /** Number of the owner that ended it. */
  epoch?: number | undefined;
  attempts: number;
  error?: ErrorRecord | undefined;
  /** Error of the undo, where that failed too. */
  undoError?: ErrorRecord | undefined;
}

export interface InstanceState {
  instance: string;
  /** In the order in which they began. */
  steps: StepState[];
  record?: RecordFacts | undefined;
  /** It ran the wanted release before, and was left alone. */
  unchanged?: boolean | undefined;
  /** How often a rollback went by its record. */
  rolledBack?: number | undefined;
  /** Its release is marked as one to roll back to. */
  marked?: boolean | undefined;
  /** It had the new release, and has the former one again. */
  takenBack?: boolean | undefined;
  /** How it stands, where it was not brought back. */
  left?: {
    why: string;
    kept?: boolean | undefined;
    linked?: string | undefined;
    rotation?: string | undefined;
    processes?: number | undefined;
  };
  bytes: number;
  bytesTotal: number;
}

export interface BatchState {
  instances: string[];
  status: 'waiting' | 'running' | 'finished' | 'failed';
  startedMs?: number | undefined;
  endedMs?: number | undefined;
  message?: string | undefined;
}

export interface DeploymentState {
  id: string;
  state: JobState;
  request: DeployRequest;
  /** Time of the release directories' names; unique for the name. 0 until its turn has come. */
  stampMs: number;
  /** Whom it waits for, while it does. */
  waiting?: { for: string; k: string; state: string; place: number } | undefined;
  /** It had to wait until here for its name, milliseconds since 1970. */
  turnMs?: number | undefined;
  acceptedMs: number;
  /** Time of the last event; the end once the state is terminal. */
  lastMs: number;
  worker?: string | undefined;
  epoch: number;
  /** What was asked for and not done yet. */
  asked?: { control: 'cancel' | 'hold'; by: string } | undefined;
  /** Batches after which it has been held already. */
  heldAfter: number[];
  plan?: { suffix: string; instances: InstancePlan[] } | undefined;
  package?: {
    program?: string | undefined;
    configs: Record<string, { package: string; manifest: string }>;
    origin: string;
    files: number;
    size: number;
  };
  differences: Record<string, { program: Difference; config?: Difference | undefined }>;
  /** Of a dry run, or confirmed for a deployment that gave it. */
  planHash?: string | undefined;
  /** Of `check` and `observe`, by instance. */
  checks: Record<string, Finding[]>;
  /** Of `check`, by instance: what stands on its host. */
  standing: Record<string, Standing>;
  observed: Record<string, ObservedInstance>;
  batches: BatchState[];
  instances: Record<string, InstanceState>;
  /** Instance and step that moved last. */
  current?: { instance: string; step: string } | undefined;
  error?: ErrorRecord | undefined;
  log: string[];
}

/** Does the instance run the release of this deployment? */
export const isDone = (instance: InstanceState | undefined): boolean =>
  instance?.unchanged === true || (instance?.record !== undefined && instance.takenBack !== true);

export const isTerminal = (state: JobState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'cancelled';
