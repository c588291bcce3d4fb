/** One look at an instance. */
export interface Observation {
  healthy: boolean;
  /** For people: what was seen. */
  what: string;
}

/** How one instance is looked at; waiting is the business of wait.ts. */
export interface HealthCheck {
  /** For people: what is asked. */
  readonly place: string;
  /** Asks once. Never throws for what the network or the instance does: that is an observation. */
  probe(signal: AbortSignal): Promise<Observation>;
}

export const good = (what: string): Observation => ({ healthy: true, what });
export const bad = (what: string): Observation => ({ healthy: false, what });

/** What was thrown while asking, as an observation. @throws the signal's reason when it was aborted */
export function observe(error: unknown, signal: AbortSignal): Observation {
  if (signal.aborted) throw signal.reason;
  return bad(error instanceof Error ? error.message || error.name : String(error));
}
