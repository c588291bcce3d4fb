import { z } from 'zod';
import { eventSchema } from '../../journal/events.js';
import { jobParamsSchema } from '../id-schema.js';
import { jobAnswerSchema } from '../job-answer.js';
import { route } from '../route.js';

/** The last event of a stream: the final answer, with the type and time that every event has. */
export const endEventSchema = z
  .object({ type: z.literal('end'), at: z.iso.datetime(), ...jobAnswerSchema.shape })
  .meta({ description: 'The final answer; the server closes after it.' });

/** `data:` of any message of a job's stream. */
export const streamEventSchema = z
  .discriminatedUnion('type', [...eventSchema.options, endEventSchema])
  .meta({ id: 'StreamEvent', description: 'What `data:` of a message holds; `event:` is its `type`.' });
export type StreamEvent = z.infer<typeof streamEventSchema>;

export const jobEventRoutes = {
  'GET /jobs/:id/events': route({
    summary: "the job's journal as server-sent events, from its start, then live",
    description:
      '`event:` is the type of an event, `data:` the event as JSON, `id:` its place. A comment every 15 seconds keeps the connection open. The last event is `end`, with the final answer; then the server closes. A client that lost the connection before opens it again with the id of the last event that it saw.',
    tag: 'jobs',
    access: 'token',
    params: jobParamsSchema,
    query: z.strictObject({
      last_event_id: z
        .string()
        .optional()
        .meta({ description: 'Go on after this event; the header takes precedence.' }),
      envelope: z
        .enum(['page', 'original'], { error: 'page or original' })
        .optional()
        .meta({ description: 'Types of the final answer; as `Accept: …; envelope=`, for streams without headers.' }),
    }),
    headers: z.object({
      'last-event-id': z
        .string()
        .optional()
        .meta({ description: 'Go on after this event.', example: '1772433476000-0' }),
    }),
    answers: {
      200: { description: 'The stream.', schema: streamEventSchema, media: 'text/event-stream' },
    },
    refusals: [403, 404],
  }),
};
