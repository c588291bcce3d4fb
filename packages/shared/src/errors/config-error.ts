import { RexError } from './rex-error.js';

/** One fault of a config file: where it stands, what stood there, what belongs there. */
export interface ConfigIssue {
  /** Dotted path from the top of the file, e.g. `environments.prod.names.server.rollout.0`. */
  path: string;
  found: string;
  expected: string;
}

/** All faults of a config file at once, never only the first. */
export class ConfigError extends RexError {
  override readonly code = 'config';
  readonly issues: readonly ConfigIssue[];

  constructor(file: string, issues: readonly ConfigIssue[], cause?: unknown) {
    const lines = issues.map((issue) => `${issue.path}: found ${issue.found}, expected ${issue.expected}`);
    super({
      where: file,
      what: lines.length === 1 ? (lines[0] ?? '') : `${lines.length} faults:\n  ${lines.join('\n  ')}`,
      whatToDo: 'correct the file, then run `rex config check`',
      cause,
    });
    this.issues = issues;
  }
}
