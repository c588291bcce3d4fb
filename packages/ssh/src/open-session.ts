import type { ClientChannel } from 'ssh2';
import type { Link } from './link.js';

const ATTEMPTS = 3;

/**
 * Opens a channel and starts a command line in it.
 *
 * A host that counts its sessions (MaxSessions) may still count one that has just ended when the next is asked for in
 * the same packet. Nothing was started then, so after a round trip, by when it has counted anew, it is asked again; then
 * once more without the shell that is kept open, which a host that allows few sessions has no room for.
 *
 * @param take gets the channel before anything that comes over it is announced
 */
export async function openSession<T>(link: Link, line: string, take: (channel: ClientChannel) => T): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await new Promise<T>((resolve, reject) => {
        link.client.exec(line, (error, channel) => (error ? reject(error) : resolve(take(channel))));
      });
    } catch (error) {
      if (attempt >= ATTEMPTS || !isOpenFailure(error)) throw error;
      if (attempt === ATTEMPTS - 1) await link.shell.giveUp();
      await link.roundTrip();
    }
  }
}

/** ssh2 gives the reason (RFC 4254 §5.1) with a channel that was refused, and only with that. */
function isOpenFailure(error: unknown): boolean {
  return error instanceof Error && 'reason' in error && typeof error.reason === 'number';
}
