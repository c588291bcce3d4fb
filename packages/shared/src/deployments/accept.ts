import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { messages } from '../errors/messages.js';
import { KeyReusedError, NameBusyError } from '../errors/request-errors.js';
import { newDeploymentId } from '../ids.js';
import { type DeployRequest, eventSchema, type JournalEvent, type whenBusySchema } from '../journal/events.js';
import { ACCEPT } from '../journal/scripts.js';
import type { Keys } from '../redis/keys.js';

/** How long an Idempotency-Key is remembered (contract: 24 h). */
const IDEMPOTENCY_SECONDS = 24 * 3600;

export interface Acceptance {
  id: string;
  /** False when an earlier request with the same Idempotency-Key made the deployment. */
  isNew: boolean;
  /** It is in line for its name: its ticket is sent by whoever hands the name over. */
  waits: boolean;
}

/** What becomes of a request whose name is busy; `first` gets in line before all others. */
export type WhenBusy = z.infer<typeof whenBusySchema> | 'first';

export interface AcceptOptions {
  idempotencyKey?: string | undefined;
  whenBusy?: WhenBusy | undefined;
  /** The package's address where the request has it masked; kept until the deployment has ended. */
  address?: string | undefined;
}

/**
 * Creates the deployment's record and journal and takes the name, in one atomic step. The ticket is queued afterwards.
 * @throws NameBusyError naming the deployment that holds the name, unless `whenBusy` says otherwise; KeyReusedError when the key came with another body
 */
export async function acceptDeployment(
  redis: Redis,
  keys: Keys,
  request: DeployRequest,
  { idempotencyKey, whenBusy = 'refuse', address = '' }: AcceptOptions = {},
): Promise<Acceptance> {
  const id = newDeploymentId();
  const now = Date.now();
  const at = new Date(now).toISOString();
  const { stampMs: _, ...event } = eventSchema.parse({
    type: 'accepted',
    at,
    id,
    request,
    stampMs: 0,
  }) as { stampMs: number };
  const superseded: JournalEvent = {
    type: 'finished',
    at,
    state: 'cancelled',
    error: { code: 'cancelled', what: `superseded by ${id}` },
  };
  const [outcome, owner] = (await ACCEPT.run(
    redis,
    [
      keys.lock(request.name),
      keys.record(id),
      keys.journal(id),
      keys.all,
      keys.ofName(request.name),
      keys.open,
      keys.stamp(request.name),
      idempotencyRecord(keys, request, idempotencyKey),
      keys.waiting(request.name),
      keys.record(''),
    ],
    [
      id,
      request.name,
      request.action,
      request.by,
      now,
      JSON.stringify(event).slice(1),
      idempotencyKey === undefined ? '' : bodyDigest(request),
      IDEMPOTENCY_SECONDS,
      whenBusy,
      request.k,
      at,
      JSON.stringify(superseded),
      address,
    ],
  )) as [string, string];
  switch (outcome) {
    case 'accepted':
      return { id, isNew: true, waits: false };
    case 'waits':
      return { id, isNew: true, waits: true };
    case 'same':
      return { id: owner, isNew: false, waits: false };
    case 'busy':
      throw new NameBusyError({ what: messages.isDeploying(request.name), deploymentId: owner });
    default:
      throw new KeyReusedError({
        what: `the Idempotency-Key was used with another body, for ${owner}`,
        whatToDo: 'use a new key for a new request',
      });
  }
}

/** Was this very request accepted before, with this Idempotency-Key? Then nothing new would be started. */
export async function isRepeated(
  redis: Redis,
  keys: Keys,
  request: DeployRequest,
  idempotencyKey: string,
): Promise<boolean> {
  return (await redis.hget(idempotencyRecord(keys, request, idempotencyKey), 'body')) === bodyDigest(request);
}

const idempotencyRecord = (keys: Keys, { by }: DeployRequest, idempotencyKey = ''): string =>
  keys.idempotency(digest(`${by}\0${idempotencyKey}`));

const bodyDigest = ({ param }: DeployRequest): string => digest(JSON.stringify(Object.entries(param).sort()));

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
