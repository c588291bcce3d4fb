import { HostError } from '@rexdeploy/shared/errors/host-errors';
import type { z } from 'zod';

/** What a remote script answered: `name<TAB>value` lines; the last value of a name counts. */
export function parseFacts(stdout: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const line of stdout.split('\n')) {
    const tab = line.indexOf('\t');
    if (tab > 0) facts[line.slice(0, tab)] = line.slice(tab + 1);
  }
  return facts;
}

/** Checks an answer against what the script promises. @throws HostError naming the host and the fact */
export function checkFacts<T extends z.ZodType>(schema: T, stdout: string, host: string, script: string): z.output<T> {
  const parsed = schema.safeParse(parseFacts(stdout));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HostError({
    host,
    what: `the answer of ${script} cannot be used: ${issue?.path.join('.')}: ${issue?.message}`,
    whatToDo: 'GNU coreutils, findutils, tar and procps must be installed on the host',
  });
}
