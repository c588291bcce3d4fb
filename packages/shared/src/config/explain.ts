import type { z } from 'zod';
import type { ConfigIssue } from '../errors/config-error.js';

type Issue = z.core.$ZodIssue;

/** zod's findings in our words: where, what was found, what belongs there. */
export function explain(issues: readonly Issue[], document: unknown): ConfigIssue[] {
  return issues.flatMap((issue) => explainOne(issue, document));
}

function explainOne(issue: Issue, document: unknown): ConfigIssue[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key].join('.'),
      found: `the key "${key}"`,
      expected: 'no such key (see docs/config.md)',
    }));
  }
  const meant = issue.code === 'invalid_union' ? meantAlternative(issue) : undefined;
  if (meant !== undefined) {
    return explain(
      meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
      document,
    );
  }
  const found = issue.code === 'invalid_key' ? `the key "${path.at(-1)}"` : show(valueAt(document, issue.path));
  return [{ path: path.join('.') || '(top)', found, expected: expectation(issue) }];
}

/** The faults of the one alternative of a union that is of the kind that was found; undefined where none stands out. */
function meantAlternative({ message, errors }: z.core.$ZodIssueInvalidUnion): readonly Issue[] | undefined {
  // A union that has words of its own says it better.
  if (!message.startsWith('Invalid input')) return undefined;
  const near = errors.filter((faults) => faults.every(({ code, path }) => code !== 'invalid_type' || path.length > 0));
  return near.length === 1 ? near[0] : undefined;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      return issue.message.startsWith('Too small') ? `at least ${issue.minimum}` : issue.message;
    case 'too_big':
      return `at most ${issue.maximum}`;
    case 'invalid_type':
      return issue.message.startsWith('Invalid input') ? article(issue.expected) : issue.message;
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? `one of ${issue.options.join(', ')}` : issue.message;
    case 'invalid_key':
      return issue.issues.map((inner) => inner.message).join('; ');
    default:
      return issue.message;
  }
}

const article = (type: string): string => (type === 'record' || type === 'object' ? 'a mapping of keys' : `a ${type}`);

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let node = document;
  for (const key of path) {
    if (node === null || typeof node !== 'object') return undefined;
    node = (node as Record<PropertyKey, unknown>)[key];
  }
  return node;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
