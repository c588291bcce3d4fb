import type { TokenRecord } from '@rexdeploy/shared/tokens';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What one `action` of `POST /rex` is given. */
export interface ActionCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Parameters of address and body, as yet unchecked. */
  readonly params: Readonly<Record<string, string>>;
  readonly caller: TokenRecord;
}

/** Checks its parameters, does its work, and gives the answer's body; status and headers go to `reply`. */
export type Action = (call: ActionCall) => Promise<unknown>;
