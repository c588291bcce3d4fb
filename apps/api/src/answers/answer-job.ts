import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import { UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import { envelope } from '@rexdeploy/shared/journal/envelope';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { reduce } from '@rexdeploy/shared/journal/reduce';
import { type DeploymentState, isTerminal } from '@rexdeploy/shared/journal/state';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isRefusedPlan } from '../actions/planned.js';
import { waitForEnd } from '../journal/follow.js';
import type { ApiParts } from '../parts.js';
import { settingsOf } from './frame.js';
import type { WantedWait } from './wanted-wait.js';

interface AcceptedJob {
  request: FastifyRequest;
  reply: FastifyReply;
  id: string;
  /** What was accepted, to answer from when Redis went away right after. */
  asked: DeployRequest;
  wait: WantedWait;
}

/** 202 with the job as it is, or 200 with the final answer when the job ended within the time that the client waits. */
export async function answerJob(parts: ApiParts, { request, reply, id, asked, wait }: AcceptedJob): Promise<Envelope> {
  reply.header('Location', `/jobs/${id}`);
  if (wait.preferred) reply.header('Preference-Applied', `wait=${wait.seconds}`);
  const state = await stateOf(parts, id, asked, () => stateAfter(parts, request, reply, id, wait));
  reply.code(isRefusedPlan(state) ? 409 : wait.seconds > 0 && isTerminal(state.state) ? 200 : 202);
  return envelope(state, settingsOf(parts.config), Date.now());
}

/** The state now, or at the end when the client waits for that. */
async function stateAfter(
  parts: ApiParts,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  wait: Pick<WantedWait, 'seconds'>,
): Promise<DeploymentState> {
  if (wait.seconds === 0) return (await parts.deployments.find(id)).state;
  return (await waitForEnd(parts, id, request.server.lifeOf(reply, wait.seconds * 1000))).state;
}

/** Accepted is accepted: without Redis the answer tells what was accepted. */
async function stateOf(
  { deployments }: ApiParts,
  id: string,
  asked: DeployRequest,
  look: () => Promise<DeploymentState>,
): Promise<DeploymentState> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    const known = deployments.lastKnown(id);
    if (known !== undefined) return known;
    return reduce(undefined, { type: 'accepted', at: new Date().toISOString(), id, request: asked, stampMs: 0 });
  }
}
