import { z } from 'zod';

/** What a worker tells of itself, under `Keys.worker`. */
export const workerFigures = z.object({
  /** How late timers were in the worst hundredth of the last seconds. */
  loopLagSeconds: z.number(),
});
export type WorkerFigures = z.infer<typeof workerFigures>;
