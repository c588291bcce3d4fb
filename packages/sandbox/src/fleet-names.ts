/** Which instances a fleet has, and in which batches they go. */

export interface NamePlan {
  name: string;
  /** Instance keys; the position is that of the host. */
  keys: string[];
  /** Batches, as config.yml writes them. */
  rollout: string[];
}

export interface NameOptions {
  /** How many, or the keys themselves. */
  instances?: number | readonly string[];
  /** How many names share the hosts; the first is `server`. */
  names?: number;
  /** Batches of the first name, e.g. `['server1', 'server2 server3']`; without it one instance per batch. */
  batches?: readonly string[];
}

/** `server` with `server1`, `server2`, …; further names are `app2` with `app2-1`, `app2-2`, … */
export function planNames(options: NameOptions): NamePlan[] {
  const { instances = 2, names = 1, batches } = options;
  const first = typeof instances === 'number' ? numbered('server', instances) : [...instances];
  const plans: NamePlan[] = [{ name: 'server', keys: first, rollout: [...(batches ?? first)] }];
  for (let at = 2; at <= names; at += 1) {
    const keys = numbered(`app${at}-`, first.length);
    plans.push({ name: `app${at}`, keys, rollout: [...keys] });
  }
  return plans;
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at + 1}`);
}
