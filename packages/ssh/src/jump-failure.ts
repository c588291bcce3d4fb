import { AuthError, ConnectionError, HostError, HostKeyError } from '@rexdeploy/shared/errors/host-errors';

/** The same error of the same kind, saying that it is a jump host's: its name may mean nothing to who reads it. */
export function asJumpFailure(error: unknown): unknown {
  if (!(error instanceof HostError)) return error;
  const { host, what, whatToDo, cause } = error;
  const facts = { host, what, where: `jump host ${error.where ?? host}`, whatToDo, cause };
  if (error instanceof HostKeyError) return new HostKeyError({ ...facts, fingerprint: error.fingerprint });
  if (error instanceof AuthError) return new AuthError(facts);
  if (error instanceof ConnectionError) return new ConnectionError(facts);
  return new HostError(facts);
}
