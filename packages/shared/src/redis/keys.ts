/** Names of our keys in Redis; BullMQ's own lie under `<prefix>:deployments:`. */
export class Keys {
  readonly #prefix: string;
  constructor(prefix: string) {
    this.#prefix = prefix;
  }
  /**
   * Hash: name, k, action, state, epoch (number of the present owner), owner (that number
   * and the mark of its claim), worker, control (`cancel` or `hold`, asked for and
   * not done yet), ticket (the one that wakes a worker for it), hold_until (ms), waits (`1` while it is in line for its
   * name), address (of its package, where the journal has it masked). With an empty id it is what the keys of all records begin with.
   */
  record = (id: string): string => `${this.#prefix}:dep:${id}`;
  /** Stream of events; scripts make this key from the record's. */
  journal = (id: string): string => `${this.record(id)}:journal`;
  /** Text: id of the deployment that holds the name. */
  lock = (name: string): string => `${this.#prefix}:lock:${name}`;
  /** List: ids of the deployments that wait for the name, the next one first. */
  waiting = (name: string): string => `${this.#prefix}:waiting:${name}`;
  /** Text: seconds of the name's newest release stamp, so that no two deployments share a directory. */
  stamp = (name: string): string => `${this.#prefix}:stamp:${name}`;
  /** Sorted set of all deployments by time of acceptance. */
  get all(): string {
    return `${this.#prefix}:deps`;
  }
  /** The same for one name. */
  ofName = (name: string): string => `${this.#prefix}:deps:${name}`;
  /** Set of the deployments that have not ended. */
  get open(): string {
    return `${this.#prefix}:open`;
  }
  /** Hash, the drain ledger: instance → what was taken out of rotation, as `drainedSchema`. */
  get drained(): string {
    return `${this.#prefix}:drained`;
  }
  /** Text with an expiry: how often the sweeper has tried a name, and that it waits before it tries again. */
  sweeps = (name: string): string => `${this.#prefix}:sweeps:${name}`;
  sweepPause = (name: string): string => `${this.#prefix}:sweep-pause:${name}`;
  /** Hash: instance → release that people marked as one to roll back to, as its label. */
  get marked(): string {
    return `${this.#prefix}:marked`;
  }
  /** Text with an expiry: what the hash of a dry run stands for. */
  plan = (hash: string): string => `${this.#prefix}:plan:${hash}`;
  /** Hash: body digest and id of an Idempotency-Key. */
  idempotency = (digest: string): string => `${this.#prefix}:idem:${digest}`;
  token = (sha256: string): string => `${this.#prefix}:token:${sha256}`;
  /** Hash: token name → its SHA-256. */
  get tokenNames(): string {
    return `${this.#prefix}:tokens`;
  }
  /** Text with an expiry: a worker that lives. */
  worker = (id: string): string => `${this.#prefix}:worker:${id}`;
  /** Sorted set: worker id by time of its last sign of life. */
  get workers(): string {
    return `${this.#prefix}:workers`;
  }
}
