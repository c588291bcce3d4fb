import { z } from 'zod';
import { envelopeOf } from '../envelope-of.js';
import { listOf, textOrAbsent } from '../leaves.js';
import { noParams } from '../query.js';
import { route } from '../route.js';

const text = z.string();

export const drainedRowSchema = z
  .object({
    k: textOrAbsent.meta({ description: '`{}`: it is no longer configured.' }),
    instance: text,
    host: textOrAbsent.meta({ description: '`{}`: it is no longer configured.' }),
    since: textOrAbsent,
    deployment: textOrAbsent.meta({ description: '`{}`: another version wrote down that it is out.' }),
    state: textOrAbsent.meta({ description: 'Of the deployment; `{}`: it is not known any more.' }),
    exact: textOrAbsent.meta({ description: "What will be given back, in the balancer's own words." }),
    kept: text.meta({ description: 'Why nothing is given back by itself; empty when it will be.' }),
  })
  .meta({ id: 'DrainedRow', description: 'An instance out of rotation by our hand.' });
export type DrainedRow = z.infer<typeof drainedRowSchema>;

export const drainedRoutes = {
  'GET /drained': route({
    summary: 'instances out of rotation by our hand: since when, for which deployment',
    tag: 'names',
    access: 'token',
    query: noParams,
    answers: {
      200: {
        description: 'Longest first.',
        schema: envelopeOf(listOf(drainedRowSchema), {}).meta({ id: 'DrainedList' }),
      },
    },
  }),
};
