import { z } from 'zod';
import { noticeTypeSchema } from './notice-type.js';

/**
 * The events of a deployment: the only record of what happened. An event is never changed once a release wrote it;
 * new kinds and optional fields may be added, because journals outlive versions.
 */

const errorRecord = z.object({
  code: z.string(),
  what: z.string(),
  where: z.string().optional(),
  whatToDo: z.string().optional(),
});

/** After a failure: bring the failed instance back and stop; bring back all; or stop at once and leave it as it is. */
export const onFailureSchema = z.enum(['rollback', 'rollback_all', 'halt']);
export type OnFailure = z.infer<typeof onFailureSchema>;

/**
 * When the name is busy: refuse, as without it; wait for its turn; or end the deployments that have not begun, and wait
 * only where one has.
 */
export const whenBusySchema = z.enum(['refuse', 'queue', 'supersede']);

/** What people may ask of a deployment that has not ended. */
export const controlSchema = z.enum(['cancel', 'hold', 'resume']);
export type Control = z.infer<typeof controlSchema>;

/** What can be done to a service, apart from deploying. */
export const serviceVerbSchema = z.enum(['start', 'stop', 'restart']);
export type ServiceVerb = z.infer<typeof serviceVerbSchema>;

/** A weight in the balancer, 0 = out of rotation; or what was there before it was taken out. */
export const wantedWeightSchema = z.union([z.int().nonnegative(), z.literal('restore')]);
export type WantedWeight = z.infer<typeof wantedWeightSchema>;

/** What the request asked for, checked and with its token masked. */
export const requestSchema = z.object({
  action: z.string(),
  k: z.string(),
  /** The name that is locked; `k` itself or the name of the instance keys in `k`. */
  name: z.string(),
  /** Instance keys batch by batch, as resolved when the request was accepted. */
  batches: z.array(z.array(z.string())),
  source: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('senv'), environment: z.string() }),
    z.object({ kind: z.literal('url'), url: z.string(), sha256: z.string().optional() }),
    z.object({ kind: z.literal('package'), package: z.string() }),
    /** A release that lies on the hosts: `former`, `newest`, `marked`, or the stamp or path of one. */
    z.object({ kind: z.literal('release'), to: z.string() }),
    z.object({ kind: z.literal('none') }),
  ]),
  full: z.enum(['1', '2']),
  dryRun: z.boolean(),
  sprint: z.boolean(),
  /** Stop after the first batch until resumed. */
  hold: z.boolean().optional(),
  /** What a failure leads to; absent = as the name is configured. */
  onFailure: onFailureSchema.optional(),
  /** Hash of the dry run that must still be true. */
  plan: z.string().optional(),
  force: z.boolean().optional(),
  /** What `service` does to each instance. */
  service: serviceVerbSchema.optional(),
  /** What `updatek` sets; `restore` gives back what was taken out by our hand. */
  weight: wantedWeightSchema.optional(),
  /** Parameters as received, for `param` of the answer; the token is masked. */
  param: z.record(z.string(), z.string()),
  /** Name of the token. */
  by: z.string(),
  /** W3C trace context of the request, so that whoever works on it later stays in its trace. */
  trace: z.string().optional(),
});
export type DeployRequest = z.infer<typeof requestSchema>;

const side = z.object({
  /** Path as configured. */
  path: z.string(),
  kind: z.enum(['link', 'directory', 'absent']),
  /** Where the link leads, or the directory itself; absent when nothing is there. */
  real: z.string().optional(),
});
export type Side = z.infer<typeof side>;

export const instancePlanSchema = z.object({
  instance: z.string(),
  host: z.string(),
  programDir: z.string(),
  configDir: z.string().optional(),
  /** Directories that this deployment makes. */
  programRelease: z.string(),
  configRelease: z.string().optional(),
  /** The release lies there already: nothing is staged, and nothing of it removed should the roll-out fail. */
  present: z.boolean().optional(),
  /** The same for its configuration alone. */
  configPresent: z.boolean().optional(),
  /** It runs that release already: nothing is done to it. */
  unchanged: z.boolean().optional(),
  /** Manifest of a release that lies there or is placed again. */
  manifest: z.string().optional(),
  /** Deployment whose record of the instance is what a rollback goes by. */
  target: z.string().optional(),
});
export type InstancePlan = z.infer<typeof instancePlanSchema>;

/** One row of a dry run: how the staged tree would differ from the instance's current one. */
export const differenceSchema = z.object({
  added: z.number(),
  changed: z.number(),
  removed: z.number(),
  unchanged: z.number(),
  bytes: z.number(),
  /** First paths, at most 200, each with `+`, `~` or `-` before it. */
  paths: z.array(z.string()),
});
export type Difference = z.infer<typeof differenceSchema>;

/** One thing that was looked at. */
export const findingSchema = z.object({ check: z.string(), ok: z.boolean(), what: z.string() });
export type Finding = z.infer<typeof findingSchema>;

/** What stands on an instance's host, whether it is as it should be or not; absent: not configured, or not known. */
export const standingSchema = z.object({
  programDir: z.string(),
  programThere: z.boolean().optional(),
  configDir: z.string().optional(),
  configThere: z.boolean().optional(),
  service: z.string().optional(),
  serviceThere: z.boolean().optional(),
  process: z.string().optional(),
  processes: z.number().optional(),
});
export type Standing = z.infer<typeof standingSchema>;

/** An instance as it was seen on its host and in its balancer; what could not be found out is absent. */
export const observedSchema = z.object({
  instance: z.string(),
  linked: z.string().optional(),
  /** Release that the running processes come from. */
  answering: z.string().optional(),
  processes: z.number().optional(),
  health: z.string().optional(),
  in: z.boolean().optional(),
  rotation: z.string().optional(),
  /** Of the balancer: what it is, its weight for the instance, what its own check says, why it is kept out by our hand. */
  balancer: z.string().optional(),
  host: z.string().optional(),
  weight: z.number().optional(),
  up: z.boolean().optional(),
  kept: z.string().optional(),
  /** Who holds the instance by a lock on its host. */
  lock: z.string().optional(),
  /** What could not be seen, and why. */
  errors: z.array(z.string()),
});
export type ObservedInstance = z.infer<typeof observedSchema>;

const at = z.iso.datetime();
/** A notice: whom, of what kind, and the entry of the journal that it is about. */
const notice = { notifier: z.string(), notice: noticeTypeSchema, entry: z.string(), attempts: z.number() };
const scoped = { at, instance: z.string(), step: z.string() };
/** What a step found or achieved; each step has its own schema for it. */
const facts = z.record(z.string(), z.unknown());

export const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('accepted'), at, id: z.string(), request: requestSchema, stampMs: z.number() }),
  /** It was accepted while another one has the name. Comes again whenever its place, or the state of that one, changes. */
  z.object({
    type: z.literal('waiting'),
    at,
    for: z.string(),
    /** What that one is about, and its state. */
    k: z.string(),
    state: z.string(),
    /** In line; 1 is next. */
    place: z.number(),
  }),
  /** The name was handed to it. Its release stamp counts from here, not from its acceptance. */
  z.object({ type: z.literal('turn'), at, stampMs: z.number() }),
  z.object({ type: z.literal('claimed'), at, worker: z.string(), epoch: z.number() }),
  z.object({ type: z.literal('handed-back'), at, worker: z.string(), reason: z.string() }),
  /** Appended by the API: somebody asked for it. The owner acts on it at its next safe point. */
  z.object({ type: z.literal('asked'), at, control: controlSchema, by: z.string() }),
  /** The batches up to and with `batch` are done; nothing is out of rotation and no worker is bound until it is resumed. */
  z.object({ type: z.literal('held'), at, batch: z.number(), untilMs: z.number().optional() }),
  z.object({
    type: z.literal('planned'),
    at,
    suffix: z.string(),
    instances: z.array(instancePlanSchema),
    /** In place of the request's, where these follow from what stands on the hosts. */
    batches: z.array(z.array(z.string())).optional(),
  }),
  z.object({
    type: z.literal('package-resolved'),
    at,
    /** Manifest of the program; absent when the deployment changes configuration alone. */
    program: z.string().optional(),
    /** Manifest and package id of each instance's pending configuration. */
    configs: z.record(z.string(), z.object({ package: z.string(), manifest: z.string() })),
    origin: z.string(),
    files: z.number(),
    size: z.number(),
  }),
  z.object({
    type: z.literal('difference'),
    at,
    instance: z.string(),
    program: differenceSchema,
    config: differenceSchema.optional(),
  }),
  /** Of a dry run: stands for all that it saw; a deployment with it is made only while that is still so. */
  z.object({ type: z.literal('plan-hash'), at, hash: z.string() }),
  /** What the hash that the request gave stands for is still so. */
  z.object({ type: z.literal('plan-confirmed'), at, hash: z.string() }),
  /** Of `check` and `checkurl`: all that was looked at of one instance. */
  z.object({
    type: z.literal('checked'),
    at,
    instance: z.string(),
    findings: z.array(findingSchema),
    standing: standingSchema.optional(),
  }),
  /** Of `observe`, `queryk` and `updatek`. */
  z.object({ type: z.literal('observed'), at, ...observedSchema.shape }),
  z.object({ type: z.literal('batch-started'), at, batch: z.number() }),
  z.object({ type: z.literal('batch-finished'), at, batch: z.number() }),
  z.object({ type: z.literal('batch-failed'), at, batch: z.number(), message: z.string() }),
  z.object({ type: z.literal('step-started'), ...scoped, found: facts }),
  z.object({ type: z.literal('step-progress'), ...scoped, bytes: z.number(), bytesTotal: z.number() }),
  z.object({ type: z.literal('step-mark'), ...scoped, mark: z.string() }),
  z.object({
    type: z.literal('step-retried'),
    ...scoped,
    attempt: z.number(),
    delayMs: z.number(),
    error: errorRecord,
  }),
  z.object({ type: z.literal('step-done'), ...scoped, facts, ms: z.number() }),
  z.object({ type: z.literal('step-failed'), ...scoped, error: errorRecord, ms: z.number() }),
  z.object({ type: z.literal('undo-started'), ...scoped }),
  z.object({ type: z.literal('undo-done'), ...scoped, facts, ms: z.number() }),
  z.object({ type: z.literal('undo-failed'), ...scoped, error: errorRecord, ms: z.number() }),
  /** An instance that an ended deployment had left out of rotation has got back what it had. */
  z.object({ type: z.literal('given-back'), at, instance: z.string(), exact: z.string() }),
  /** How an instance stands that could not be brought back, or was left on purpose; an absent field is not known. */
  z.object({
    type: z.literal('left'),
    at,
    instance: z.string(),
    why: z.string(),
    /** Left out of rotation on purpose: only people or a later deployment give it back. */
    kept: z.boolean().optional(),
    linked: z.string().optional(),
    rotation: z.string().optional(),
    processes: z.number().optional(),
  }),
  /** Comes after the end: another deployment, `by`, went by what this one recorded of an instance. */
  z.object({ type: z.literal('rolled-back'), at, instance: z.string(), by: z.string() }),
  /** Comes after the end: the release was marked as one to roll back to, or is no longer. */
  z.object({ type: z.literal('marked'), at, instance: z.string(), marked: z.boolean(), by: z.string() }),
  /** Somebody was told; or could not be, which changes nothing for the deployment. Both may come after the end. */
  z.object({ type: z.literal('notified'), at, ...notice }),
  z.object({ type: z.literal('notify-failed'), at, ...notice, error: errorRecord }),
  z.object({
    type: z.literal('log'),
    at,
    level: z.enum(['info', 'warn', 'error']),
    message: z.string(),
    instance: z.string().optional(),
    step: z.string().optional(),
  }),
  z.object({
    type: z.literal('finished'),
    at,
    state: z.enum(['succeeded', 'failed', 'cancelled']),
    error: errorRecord.optional(),
  }),
]);
export type JournalEvent = z.infer<typeof eventSchema>;
export type EventType = JournalEvent['type'];

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;
/** An event before the journal stamps its time. */
export type NewEvent = WithoutTime<JournalEvent>;

/** Facts of the `record` step: what the documented instance record tells. Times in milliseconds since 1970. */
export const recordFactsSchema = z.object({
  host: z.string(),
  program: side.extend({ after: z.string() }),
  config: side.extend({ after: z.string() }).optional(),
  /** `<size> <dir>` for program and config, as `du -sh` writes it. */
  size: z.string(),
  startMs: z.number(),
  stagedMs: z.number(),
  startAppMs: z.number(),
  endMs: z.number(),
  /** Absent where the instance has no `process` pattern. */
  processNumber: z.number().optional(),
  randomStr: z.string(),
  /** Program release's manifest id. */
  manifest: z.string().optional(),
});
export type RecordFacts = z.infer<typeof recordFactsSchema>;
