/** Whether the balancer sends requests to an instance, and the exact state to give back. */
export interface Rotation {
  in: boolean;
  /** What stood there, in the balancer's own words. */
  exact: string;
}

/** Sends traffic to instances. A driver is made for one instance. */
export interface Balancer {
  /** Where `rotation` stands, for messages. */
  readonly place: string;
  /** The instance's rotation now. @throws BalancerError when the balancer does not know the instance */
  look(signal: AbortSignal): Promise<Rotation>;
  /**
   * Takes the instance out, starting from what was found, and waits until requests have settled.
   * @returns whether all had ended within the time allowed
   */
  takeOut(found: Rotation, signal: AbortSignal): Promise<{ settled: boolean }>;
  /** Gives back exactly what was found. */
  giveBack(found: Rotation, signal: AbortSignal): Promise<void>;
}
