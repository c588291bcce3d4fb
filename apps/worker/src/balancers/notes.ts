/**
 * What drivers saw of balancers, for as long as a deployment lasts: several drivers, one for each instance, use the same
 * balancer, and each answer of it tells of all.
 */
export class Notes {
  readonly #kept = new Map<string, { text: string; atMs: number }>();
  readonly #underWay = new Map<string, Promise<string>>();

  keep(about: string, text: string): void {
    this.#kept.set(about, { text, atMs: performance.now() });
  }

  /** @returns what was kept within so many ms */
  find(about: string, withinMs: number): string | undefined {
    const kept = this.#kept.get(about);
    return kept === undefined || performance.now() - kept.atMs > withinMs ? undefined : kept.text;
  }

  /** Lets others wait for what is being looked up. */
  begin(about: string, looking: Promise<string>): void {
    this.#underWay.set(about, looking);
    const end = (): void => {
      if (this.#underWay.get(about) === looking) this.#underWay.delete(about);
    };
    looking.then(end, end);
  }

  /** @returns what somebody else looks up just now, where somebody does; it ends as undefined when that fails: it may be the other's fault */
  underWay(about: string): Promise<string | undefined> | undefined {
    return this.#underWay.get(about)?.catch(() => undefined);
  }

  forget(about: string): void {
    this.#kept.delete(about);
  }
}
