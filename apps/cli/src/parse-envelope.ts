import { type Envelope, envelopeSchema } from '@rexdeploy/shared/api/envelope-schema';
import { UnreachableError } from './errors.js';

/**
 * @param where what gave the answer, for the message
 * @throws UnreachableError when it is not the documented answer: something else than our API has spoken
 */
export function parseEnvelope(body: unknown, where?: string): Envelope {
  const parsed = envelopeSchema.safeParse(body);
  if (parsed.success) return parsed.data as Envelope;
  const [issue] = parsed.error.issues;
  throw new UnreachableError({
    where,
    what: `the answer is not that of a Rexdeploy API (${issue?.path.join('.') || 'top'}: ${issue?.message})`,
    whatToDo: 'check --server, and that API and rex are of the same version',
  });
}
