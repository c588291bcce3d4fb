import { z } from 'zod';
import { envelopeOf } from '../envelope-of.js';
import { doneSchema } from '../job-answer.js';
import { absent } from '../leaves.js';
import { noParams } from '../query.js';
import { route } from '../route.js';
import { tokenRowSchema } from './tokens.js';

const text = z.string();
const { id, name, role, names, token, expires_at } = tokenRowSchema.shape;

const sessionSchema = envelopeOf(absent, {
  ...{ id, name, role, names, token, expires_at },
  environment: text.meta({ description: 'The environment that is deployed to.' }),
  desc: text,
  zone: text.meta({ description: 'Time zone of the answers.' }),
}).meta({ id: 'Session', description: 'Who is logged in.' });

/** The log-in of browsers: a cookie with the token, which no script can read. */
export const sessionRoutes = {
  'GET /session': route({
    summary: 'who is asking: name, role and names of the token',
    tag: 'access',
    access: 'token',
    query: noParams,
    answers: { 200: { description: 'The token is good.', schema: sessionSchema } },
  }),
  'POST /session': route({
    summary: 'log in: set a cookie with the token',
    description:
      'The cookie is `HttpOnly`, `SameSite=Strict`, and `Secure` where the request came by https. It is looked up at every request: a token that is revoked or expires ends all its log-ins. Whatever changes something and comes by cookie needs the header `X-Rex-Dashboard: 1` and has to come from a page of the same origin.',
    tag: 'access',
    access: 'open',
    body: {
      kind: 'parameters',
      schema: z.strictObject({
        token: z.string().min(1, 'a token').max(200, 'a token').meta({ description: 'Taken from the body alone.' }),
      }),
    },
    answers: { 200: { description: 'Logged in.', schema: sessionSchema } },
    refusals: [401, 403, 429, 503],
  }),
  'DELETE /session': route({
    summary: 'log out: remove the cookie',
    tag: 'access',
    access: 'open',
    query: noParams,
    answers: { 200: { description: 'Logged out.', schema: doneSchema } },
    refusals: [403],
  }),
};
