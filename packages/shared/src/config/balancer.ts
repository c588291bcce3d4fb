import { z } from 'zod';
import { durationMs, nonEmpty, remotePath } from './primitives.js';
import { sshSchema } from './ssh.js';

const nginxSchema = z.strictObject({
  type: z.literal('nginx'),
  /** Host that runs nginx; reached with the environment's `ssh` unless `ssh` here says otherwise. */
  host: nonEmpty,
  ssh: sshSchema.optional(),
  /** File on that host with the `server` lines of the name's instances. */
  upstream_file: remotePath,
  /** How long requests already accepted may take to end after an instance left rotation. */
  settle: durationMs.default(0),
  /** Time for nginx to take over a changed file. */
  timeout: durationMs.default(30_000),
});

/** Names as HAProxy allows them; anything else could begin another command of its runtime API. */
const haproxyName = z
  .string({ error: 'a name of HAProxy' })
  .regex(/^[A-Za-z0-9_.:-]+$/, 'letters, digits, "_", ".", ":" or "-"');

const haproxySchema = z
  .strictObject({
    type: z.literal('haproxy'),
    /** Host that runs HAProxy, for its socket over SSH. */
    host: nonEmpty.optional(),
    ssh: sshSchema.optional(),
    /** Its `stats socket … level admin` on that host. */
    socket: z
      .string()
      .regex(/^(\/[\w.-]+)+$/, 'an absolute path of letters, digits, "_", "." and "-"')
      .default('/run/haproxy/admin.sock'),
    /** The same socket over TCP, reached by the worker itself. */
    address: z
      .string()
      .regex(/^(\[[\da-fA-F:]+\]|[^\s:/@[\]]+):\d{1,5}$/, 'host:port')
      .optional(),
    backend: haproxyName,
    /** Name of the instance's server; absent: found by its address. */
    server: haproxyName.optional(),
    /** How long current sessions may take to end. */
    settle: durationMs.default(30_000),
    /** Until HAProxy agrees with a change, its own check included. */
    timeout: durationMs.default(30_000),
  })
  .superRefine((section, context) => {
    if ((section.host === undefined) !== (section.address === undefined)) return;
    const message =
      section.host === undefined
        ? 'host (its socket over SSH) or address (over TCP)'
        : 'nothing where `host` is given: one of the two';
    context.addIssue({ code: 'custom', path: ['address'], message });
  });

/** A regular expression. */
const pattern = nonEmpty.refine(isPattern, 'a regular expression');
const httpUrl = z.string().regex(/^https?:\/\/\S+$/, 'an http or https address');
const method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** A request; `{instance}`, `{host}`, `{port}` and `{weight}` are filled in. */
const changeRequest = z.strictObject({
  method: method.default('POST'),
  url: httpUrl,
  headers: z.record(z.string().regex(/^[\w-]+$/, 'the name of a header'), z.string()).default({}),
  body: z.string().default(''),
});

const lookRequest = changeRequest.extend({
  method: method.default('GET'),
  /** Found in the answer: the instance is in rotation. */
  in: pattern,
  /** Found in the answer: it is out; with it, an answer that holds neither is an error. */
  out: pattern.optional(),
  /** Its first group is the weight that is given back. */
  weight: pattern.optional(),
});

const httpSchema = z
  .strictObject({
    type: z.literal('http'),
    look: lookRequest,
    drain: changeRequest,
    restore: changeRequest,
    /** Sets {weight}; absent: `restore` does, where it names it. */
    weight: changeRequest.optional(),
    /** Pause after the instance has left rotation. */
    settle: durationMs.default(0),
    /** Of one request, and until the answer to `look` agrees with a change. */
    timeout: durationMs.default(30_000),
  })
  .superRefine(({ look, drain, restore, weight }, context) => {
    if (look.weight !== undefined || (weight === undefined && ![drain, restore].some(usesWeight))) return;
    const message = 'a regular expression with one group, because {weight} is used';
    context.addIssue({ code: 'custom', path: ['look', 'weight'], message });
  });

const commandSchema = z.strictObject({
  type: z.literal('command'),
  /** Host that the commands run on; absent: the worker's own machine. */
  host: nonEmpty.optional(),
  ssh: sshSchema.optional(),
  /** Ends with 0 when the instance is in rotation, with 1 when it is out. */
  look: nonEmpty,
  drain: nonEmpty,
  restore: nonEmpty,
  /** Sets `$REX_WEIGHT`; `look` must tell the weight then. */
  weight: nonEmpty.optional(),
  /** Pause after the instance has left rotation. */
  settle: durationMs.default(0),
  /** Of one command, and until `look` agrees with a change. */
  timeout: durationMs.default(30_000),
});

const noneSchema = z.strictObject({ type: z.literal('none') });

export const balancerSchema = z.discriminatedUnion('type', [
  nginxSchema,
  haproxySchema,
  httpSchema,
  commandSchema,
  noneSchema,
]);

export type BalancerSection = z.infer<typeof balancerSchema>;
export type NginxSection = z.infer<typeof nginxSchema>;
export type HaproxySection = z.infer<typeof haproxySchema>;
export type HttpSection = z.infer<typeof httpSchema>;
export type HttpRequestSection = z.infer<typeof changeRequest>;
export type CommandSection = z.infer<typeof commandSchema>;

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** Does a request name {weight}? */
export const usesWeight = ({ url, headers, body }: z.infer<typeof changeRequest>): boolean =>
  [url, body, ...Object.values(headers)].some((text) => text.includes('{weight}'));
