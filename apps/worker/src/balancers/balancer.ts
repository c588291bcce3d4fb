/** Whether the balancer sends requests to an instance, and the exact state to give back. */
export interface Rotation {
  in: boolean;
  /** What stood there, in the balancer's own words. */
  exact: string;
}

/** What a look tells beyond what can be given back. */
export interface Observed extends Rotation {
  /** What the balancer's own check says; absent where it makes none. False: it sends nothing, in rotation or not. */
  up?: boolean;
  /** The weight for the instance, whether it counts now or waits until it is in rotation again; absent: not told. */
  weight?: number;
}

/** Weights of an instance, where the balancer is given any. */
export interface Weights {
  /** Sets the weight, at least 1, and puts the instance into rotation; returns once the balancer agrees. */
  put(found: Rotation, weight: number, signal: AbortSignal): Promise<void>;
  /** Puts back exactly what was found before `put`, whether that came to its end or not. */
  undo(found: Rotation, weight: number, signal: AbortSignal): Promise<void>;
}

/** Sends traffic to instances. A driver is made for one instance. */
export interface Balancer {
  /** Where `rotation` stands, for messages. */
  readonly place: string;
  /** May a change that is followed by another wait for it? See `giveBack`. */
  readonly joins?: boolean;
  readonly weights?: Weights | undefined;
  /**
   * The instance's rotation now.
   * @param options.withinMs what was seen within so many ms will do, default 0; drivers whose looks cost nothing look
   * @throws BalancerError when the balancer does not know the instance
   */
  look(signal: AbortSignal, options?: { withinMs?: number }): Promise<Observed>;
  /**
   * Takes the instance out, starting from what was found, and waits until requests have settled. One that was found
   * out of rotation is left exactly as it is.
   * @returns whether all had ended within the time allowed; nothing where the balancer cannot tell. `now`: as `look` tells
   *   it afterwards, where that costs no further trip
   */
  takeOut(found: Rotation, signal: AbortSignal): Promise<{ settled?: boolean; now?: Observed }>;
  /**
   * Gives back exactly what was found, and returns once the balancer agrees.
   * @param options.isFollowed another change of the same balancer comes at once, after which both must count. A balancer
   *   for which each change is costly may let this one wait for it; where none comes, it counts a moment later by itself.
   *   Given back once more without this option, it counts when that returns.
   * @returns as `look` tells it afterwards, where that costs no further trip
   */
  giveBack(found: Rotation, signal: AbortSignal, options?: { isFollowed?: boolean }): Promise<Observed | undefined>;
}
