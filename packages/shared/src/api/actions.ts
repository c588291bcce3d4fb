import { z } from 'zod';
import {
  checkUrlParamsSchema,
  enterDeployParamsSchema,
  listParamsSchema,
  queryWeightsParamsSchema,
  releaseParamsSchema,
  serviceParamsSchema,
  updateWeightsParamsSchema,
} from './action-params.js';
import { checkParamsSchema } from './check-params.js';
import { deployParamsSchema } from './deploy-params.js';
import { envelopeOf } from './envelope-of.js';
import { doneSchema, jobAnswerSchema } from './job-answer.js';
import { listOf } from './leaves.js';
import { convergeParamsSchema, markParamsSchema, rollbackParamsSchema } from './release-params.js';
import { unlockParamsSchema } from './unlock-params.js';

/** One `action` of `POST /rex`. */
export interface ActionRoute {
  /** Its parameters, `action` among them. */
  readonly params: z.ZodObject;
  /** What it answers when all goes well. */
  readonly answer: z.ZodType;
}

/** Keeps the exact types of an action while it is checked to be one. */
const action = <const A extends ActionRoute>(described: A): A => described;

/** Of `Deploy:Db:initdb` without `k`: the job of each name. */
const unlockListSchema = envelopeOf(listOf(z.object({ k: z.string(), job: z.string() })), {}).meta({
  id: 'UnlockList',
  description: 'The job that frees each name.',
});

/** Of `list`: two texts. */
const namesListSchema = envelopeOf(listOf(z.string()), {}).meta({
  id: 'NamesList',
  description: 'The names, separated by spaces; then the instance keys and their number.',
});

const checkurl = action({ params: checkUrlParamsSchema, answer: jobAnswerSchema });
const queryk = action({ params: queryWeightsParamsSchema, answer: jobAnswerSchema });
const updatek = action({ params: updateWeightsParamsSchema, answer: jobAnswerSchema });

/** Every `action` of `POST /rex`: its parameters and its answer. */
export const actions = {
  deploy: action({ params: deployParamsSchema, answer: jobAnswerSchema }),
  'Enter:deploy:main': action({ params: enterDeployParamsSchema, answer: jobAnswerSchema }),
  release: action({ params: releaseParamsSchema, answer: jobAnswerSchema }),
  rollback: action({ params: rollbackParamsSchema, answer: jobAnswerSchema }),
  converge: action({ params: convergeParamsSchema, answer: jobAnswerSchema }),
  mark: action({ params: markParamsSchema, answer: doneSchema }),
  check: action({ params: checkParamsSchema, answer: jobAnswerSchema }),
  list: action({ params: listParamsSchema, answer: namesListSchema }),
  checkurl,
  service: action({ params: serviceParamsSchema, answer: jobAnswerSchema }),
  queryk,
  updatek,
  'loadService:main:check': checkurl,
  'loadService:main:queryk': queryk,
  'loadService:main:update': updatek,
  'Deploy:Db:initdb': action({ params: unlockParamsSchema, answer: z.union([jobAnswerSchema, unlockListSchema]) }),
};
export type Actions = typeof actions;
export type ActionName = keyof Actions;

/** Parameters of an action as a client gives them; the token goes into a header. */
export type ActionParams<A extends ActionName> = Omit<z.input<Actions[A]['params']>, 'token'>;
export type ActionAnswer<A extends ActionName> = z.output<Actions[A]['answer']>;
