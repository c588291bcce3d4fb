import { routes } from '@rexdeploy/shared/api/routes';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { envelope } from '@rexdeploy/shared/journal/envelope';
import type { Entry } from '@rexdeploy/shared/journal/journal';
import { isTerminal } from '@rexdeploy/shared/journal/state';
import { maskSecretsIn } from '@rexdeploy/shared/mask';
import type { FastifyInstance } from 'fastify';
import { EventStream } from '../answers/event-stream.js';
import { settingsOf } from '../answers/frame.js';
import { projected, styleOf } from '../answers/projection.js';
import { ENTRY_ID } from '../journal/entry-id.js';
import { follow } from '../journal/follow.js';
import { queryOf, querySchema } from '../params/query.js';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import { callerOf, mustAllowName } from '../plugins/auth.js';

const eventsQuery = querySchema(routes['GET /jobs/:id/events'].query.shape);

/** `GET /jobs/:id/events`: the journal from the start or after an entry, then live, then the final answer. */
export async function jobEventRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const options = { config: { access: 'token' }, exposeHeadRoute: false } as const;
  app.get<{ Params: { id: string } }>('/jobs/:id/events', options, async (request, reply) => {
    const query = queryOf(request, eventsQuery);
    const { id, name } = await parts.deployments.head(request.params.id);
    mustAllowName(callerOf(request), name);
    // A browser that reconnects sends the header, which is newer than the address it began with.
    const after = placeOf(request.headers['last-event-id'] || query.last_event_id || undefined);

    const life = app.lifeOf(reply);
    reply.hijack();
    const stream = new EventStream(reply.raw, life);
    try {
      for await (const entry of follow(parts, id, after, life)) await stream.send(blockOf(entry));
      if (!life.aborted) await sendEnd(parts, id, stream, query.envelope ?? styleOf(request, parts.config));
    } catch (error) {
      // The status is sent: all that is left is to close; the client comes again with its last id.
      request.log.warn({ err: error, deploymentId: id }, 'event stream broke off');
    } finally {
      stream.close();
    }
  });
}

function placeOf(after: string | string[] | undefined): string | undefined {
  if (after === undefined || after === '0') return undefined;
  if (typeof after === 'string' && ENTRY_ID.test(after)) return after;
  throw new ParameterError({ what: `Last-Event-ID ${quote(String(after))}: expected the id of an event of this job` });
}

/** A live entry is one and the same for all who follow the job, so it is written once for all of them. */
const blocks = new WeakMap<Entry, Buffer>();

function blockOf(entry: Entry): Buffer {
  let block = blocks.get(entry);
  if (block === undefined) {
    const { id, event } = entry;
    block = Buffer.from(`id: ${id}\nevent: ${event.type}\ndata: ${maskSecretsIn(JSON.stringify(event))}\n\n`);
    blocks.set(entry, block);
  }
  return block;
}

/** Has no id of its own, so that whoever comes again after it gets it again and nothing else. */
async function sendEnd(
  { deployments, config }: ApiParts,
  id: string,
  stream: EventStream,
  style: ReturnType<typeof styleOf>,
): Promise<void> {
  const { state } = await deployments.findEnded(id);
  if (!isTerminal(state.state)) return;
  const at = new Date(state.lastMs).toISOString();
  const answer = projected(style, envelope(state, settingsOf(config), Date.now()));
  const data = Object.assign({ type: 'end', at }, answer);
  await stream.send(`event: end\ndata: ${maskSecretsIn(JSON.stringify(data))}\n\n`);
}
