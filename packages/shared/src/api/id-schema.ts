import { z } from 'zod';

/** Ids as the contract allows them in addresses. */
export const ID = /^[A-Za-z0-9_-]{1,80}$/;

/** The path parameter of routes about one job. Which ids exist is the API's to say, with 404. */
export const jobParamsSchema = z.object({
  id: z
    .string()
    .meta({ description: 'Id of the job, as `job.id` tells it.', example: 'dep-01KJQ4YB3V5N8W2T9R6C1D0XGZ' }),
});
