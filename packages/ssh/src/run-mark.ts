import { randomBytes } from 'node:crypto';

/** How one run of a script is found in a host's process list: prefix and id stand next to each other in `$0`. */
export interface RunMark {
  /** `rex:<name>:` */
  readonly prefix: string;
  /** Unlike any other run's. */
  readonly id: string;
}

/** A fresh mark for one run of a script. */
export function makeRunMark(scriptName: string): RunMark {
  return { prefix: `${scriptMark(scriptName)}:`, id: randomBytes(6).toString('hex') };
}

/** What all runs of a script have in their `$0`: what to look for on the host when something was left running. */
export function scriptMark(scriptName: string): string {
  return `rex:${scriptName}`;
}
