import type { HealthSection } from '@rexdeploy/shared/config/health';
import { bad, good, type Observation } from './check.js';

/** A body is read up to here; `contains` is looked for in that part. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** Is an HTTP answer the one that is expected? */
export function judgeAnswer(
  { status, contains }: Pick<HealthSection, 'status' | 'contains'>,
  answer: { status: number; body: string },
): Observation {
  if (answer.status !== status) return bad(`status ${answer.status}, expected ${status}: ${brief(answer.body)}`);
  if (!answer.body.includes(contains)) return bad(`the body lacks "${contains}": ${brief(answer.body)}`);
  return good(`status ${answer.status}`);
}

const brief = (body: string): string => (body.length > 200 ? `${body.slice(0, 200)}…` : body);
