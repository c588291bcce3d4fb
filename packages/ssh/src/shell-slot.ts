import { KeptShell } from './kept-shell.js';
import type { Link } from './link.js';

/** The shell that is kept open on a connection: none, or one. */
export class ShellSlot {
  readonly #link: Link;
  #shell: KeptShell | undefined;
  #lent = false;
  /** The host has too few sessions for one that is kept, or starts none. */
  #refused = false;

  constructor(link: Link) {
    this.#link = link;
  }

  get isOpen(): boolean {
    return this.#shell !== undefined;
  }

  get isLent(): boolean {
    return this.#lent;
  }

  /**
   * The shell for one run, until `giveBack`; opened where there is none.
   * @param texts what scripts that run in it consist of
   * @returns undefined when another run has it, or none can be had: a session of its own will do
   */
  async take(texts: readonly string[]): Promise<KeptShell | undefined> {
    if (this.#refused || this.#lent || this.#link.lost !== undefined) return undefined;
    this.#lent = true;
    const shell = this.#shell ?? (await this.#open(texts));
    if (shell === undefined) this.#lent = false;
    return shell;
  }

  giveBack(): void {
    this.#lent = false;
  }

  /** None can be had on this host. */
  refuse(): void {
    this.#refused = true;
  }

  async #open(texts: readonly string[]): Promise<KeptShell | undefined> {
    // It counts as a session for as long as it is open.
    if (!this.#link.sessions.isFree) return undefined;
    const release = await this.#link.sessions.take();
    let shell: KeptShell | undefined;
    try {
      shell = await KeptShell.open(this.#link, texts, (leaving) => {
        if (this.#shell === shell) this.#shell = undefined;
        // The host counts the session until it is gone, and so do we.
        leaving.then(release, release);
      });
      this.#shell = shell.isGone ? undefined : shell;
      return shell;
    } catch {
      // Why tells the session that is opened instead.
      release();
      this.#refused = true;
      return undefined;
    }
  }

  /** Ends it where nothing runs in it, and opens no other: its place is needed. */
  async giveUp(): Promise<void> {
    this.#refused = true;
    if (!this.#lent) await this.#shell?.close();
  }
}
