import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { z } from 'zod';
import { quote } from './received.js';

type Values = Readonly<Record<string, string>>;
type Issue = z.core.$ZodIssue;

/** How the faults of one kind of request are worded. */
export interface Wording {
  /** Says which parameters are missing. */
  missing?: (names: string) => string;
  /** Parameters of the documented interface that this version does not know yet. */
  later?: readonly string[];
}

/**
 * Gives parameters their meaning.
 * @throws ParameterError that tells all faults at once: parameter, value, what was expected
 */
export function checkParams<S extends z.ZodObject>(schema: S, values: Values, wording: Wording = {}): z.output<S> {
  const checked = schema.safeParse(values);
  if (checked.success) return checked.data;
  throw new ParameterError({ what: explainParams(checked.error.issues, values, wording, Object.keys(schema.shape)) });
}

/** zod's findings as one sentence. */
export function explainParams(
  issues: readonly Issue[],
  values: Values,
  wording: Wording,
  known: readonly string[],
): string {
  const missing = issues.map(nameOf).filter((name) => name !== '' && !(name in values));
  const faults = issues.flatMap((issue) => explainOne(issue, values, wording, known));
  if (missing.length > 0) faults.unshift((wording.missing ?? missingParams)(missing.join(' ')));
  return [...new Set(faults)].join('; ');
}

const missingParams = (names: string): string => `missing: ${names}`;

function explainOne(issue: Issue, values: Values, { later = [] }: Wording, known: readonly string[]): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => explainUnknown(key, later, known));
  const name = nameOf(issue);
  const value = values[name];
  return value === undefined ? [] : [`${name}=${quote(value)}: expected ${expectation(issue)}`];
}

function explainUnknown(key: string, later: readonly string[], known: readonly string[]): string {
  if (later.includes(key)) return `${key}: this parameter is not part of this version, leave it out`;
  return `unknown parameter ${quote(key)}, known are ${known.join(' ')}`;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return issue.message.startsWith('Too small') ? `at least ${issue.minimum} characters` : issue.message;
    case 'too_big':
      return issue.message.startsWith('Too big') ? `at most ${issue.maximum} characters` : issue.message;
    case 'invalid_value':
      return issue.message.startsWith('Invalid') ? issue.values.map(String).join(' or ') : issue.message;
    default:
      return issue.message;
  }
}

const nameOf = (issue: Issue): string => (issue.code === 'unrecognized_keys' ? '' : String(issue.path[0] ?? ''));
