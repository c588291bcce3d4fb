import { z } from 'zod';
import { RefusedError, UnreachableError } from '../errors/client-errors.js';
import { anyEnvelopeSchema } from './envelope-of.js';
import type { Envelope } from './envelope-schema.js';
import type { Route } from './route.js';
import { type AnswerOf, type RouteKey, routes } from './routes.js';

/** How a kind of client tells its user what to do; each knows its own knobs. */
export interface Advice {
  /** After a refusal. */
  refused?(status: number, envelope: Envelope): string | undefined;
  /** When nobody answers. */
  readonly unreachable?: string;
  /** When somebody else answers, or another version. */
  readonly foreign?: string;
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  status: number;
  text: string;
  /** Address of the API, for messages. */
  where: string;
}

/**
 * Reads the answer of a route, however it was fetched.
 * @throws RefusedError for what the API refuses; UnreachableError when it is not the documented answer
 */
export function parseAnswer<K extends RouteKey>(key: K, raw: RawAnswer, advice: Advice = {}): AnswerOf<K> {
  refuse(raw, advice);
  const { answers }: Route = routes[key];
  // A status that this version does not know comes with an answer that it knows.
  const schema = answers[raw.status]?.schema ?? z.union(Object.values(answers).map((answer) => answer.schema));
  return parseAs(schema, raw.text, sourceOf(raw), advice) as AnswerOf<K>;
}

/** Reads an answer of any route. @throws as `parseAnswer` */
export function parseEnvelope(raw: RawAnswer, advice: Advice = {}): Envelope {
  refuse(raw, advice);
  return parseAs(anyEnvelopeSchema, raw.text, sourceOf(raw), advice);
}

/** @throws RefusedError when it is a refusal */
export function refuse(raw: RawAnswer, advice: Advice = {}): void {
  if (raw.status >= 400) throw refusalOf(raw, advice);
}

/** The error that a refusal is. @throws UnreachableError when it is not one of ours */
export function refusalOf(raw: RawAnswer, advice: Advice = {}): RefusedError {
  const envelope = parseAs(anyEnvelopeSchema, raw.text, sourceOf(raw), advice);
  const what = envelope.msg ?? envelope.data.msg;
  return new RefusedError({ status: raw.status, envelope, what, whatToDo: advice.refused?.(raw.status, envelope) });
}

/**
 * Reads JSON by a schema.
 * @param where what gave it, for the message
 * @throws UnreachableError when it is something else
 */
export function parseAs<S extends z.ZodType>(schema: S, text: string, where: string, advice: Advice = {}): z.output<S> {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UnreachableError({
    where,
    what: `the answer is not that of a Rexdeploy API (${issue?.path.join('.') || 'top'}: ${issue?.message})`,
    whatToDo: advice.foreign,
  });
}

export const sourceOf = ({ where, status }: RawAnswer): string => `${where} answered ${status}`;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page, for instance: refused like any other body that is not ours
  }
}
