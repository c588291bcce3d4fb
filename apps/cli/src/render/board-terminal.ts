import type { WriteStream } from 'node:tty';

/** Stderr, where it is a terminal that can be written over; else only lines are of use. */
export function boardTerminal(): WriteStream | undefined {
  const { stderr, env } = process;
  return stderr.isTTY && env.TERM !== 'dumb' ? stderr : undefined;
}
