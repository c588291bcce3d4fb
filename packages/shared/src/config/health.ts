import { z } from 'zod';
import { durationMs, integer, nonEmpty } from './primitives.js';

/** The kinds of check, each with the keys that mean something to it alone. */
export const KEYS_OF_KIND = {
  url: ['url', 'status', 'contains', 'headers', 'from'],
  tcp: ['tcp'],
  command: ['command'],
} as const;
export type HealthKind = keyof typeof KEYS_OF_KIND;

/**
 * Check of an instance after its start, of one kind; `{host}` and `{instance}` in addresses are filled in, `{release}` (the
 * base name of the release's directory) also in `contains`, `headers` and `command`.
 */
export const healthSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/\S+$/, 'an http or https address')
      .optional(),
    /** Healthy when a connection is accepted. */
    tcp: z
      .string({ error: 'host:port, e.g. {host}:6379' })
      .regex(/^(\[[\da-fA-F:]+\]|[^\s:/@[\]]+):\d{1,5}$/, 'host:port, e.g. {host}:6379')
      .optional(),
    /** Runs on the instance's host; healthy when it ends with 0. */
    command: nonEmpty.optional(),
    /** Who asks the address: the worker, or the instance's host itself (with curl). */
    from: z.enum(['worker', 'host']).default('worker'),
    status: integer(100, 599).default(200),
    /** Text that the body must contain; empty = anything. */
    contains: z.string().default(''),
    headers: z
      .record(
        z.string().regex(/^[\w-]+$/, 'the name of a header'),
        z.string().regex(/^[^\0\r\n]*$/, 'the value of a header, in one line'),
      )
      .default({}),
    delay: durationMs.default(0),
    /** Pause between attempts; absent = short at first, growing to one second. */
    interval: durationMs.optional(),
    attempts: integer(1, 10_000).default(30),
    /** Healthy answers in a row that it takes. */
    successes: integer(1, 1_000).default(1),
    /** Limit of one attempt. */
    timeout: durationMs.default(5_000),
    /** How long the first batch is watched before the next one begins; one failing check is a failure then. */
    soak: durationMs.default(0),
  })
  .superRefine(({ url, tcp, command }, context) => {
    const given = [url, tcp, command].filter((kind) => kind !== undefined).length;
    if (given === 1) return;
    const message = given === 0 ? 'url, tcp or command' : 'one of url, tcp and command';
    context.addIssue({ code: 'custom', path: given === 0 ? ['url'] : [], message });
  })
  .transform(({ url, tcp, command, ...rest }) => {
    const kind: HealthKind = tcp !== undefined ? 'tcp' : command !== undefined ? 'command' : 'url';
    // One address for all kinds: balancers take an instance's port from it.
    return { ...rest, kind, url: url ?? (tcp === undefined ? '' : `tcp://${tcp}`), command: command ?? '' };
  });

export type HealthSection = z.infer<typeof healthSchema>;
