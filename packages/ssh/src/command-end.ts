import type { ClientChannel } from 'ssh2';

/** How long the streams may be quiet after the exit status, in ms, before the host is asked whether more comes. */
const QUIET_MS = 500;

/** How a command ended; neither code nor signal means that nobody knows. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Waits for the end of a command: the channel's close, or, when a process left in the background keeps stdout open,
 * the exit status followed by silence. Silence alone may be a slow line, so a round trip must confirm it: its answer
 * comes after everything the host had sent before.
 *
 * Must be called inside the callback that brings the channel: the exit status may stand in the same packet, and is
 * announced once. Takes no data, so the streams do not begin to flow.
 *
 * @param progress grows whenever output arrives
 */
export function commandEnd(
  channel: ClientChannel,
  progress: () => number,
  roundTrip: () => Promise<void>,
): Promise<CommandEnd> {
  return new Promise((resolve) => {
    let end: CommandEnd = { code: null, signal: null };
    let timer: NodeJS.Timeout | undefined;
    let seen = -1;

    const finish = () => {
      clearTimeout(timer);
      timer = undefined;
      resolve(end);
    };
    const look = () => {
      // What the reader's backpressure holds up is not silence of the host.
      const quiet = seen === progress() && !channel.isPaused() && channel.readableLength === 0;
      seen = progress();
      if (!quiet) {
        timer?.refresh();
        return;
      }
      const confirm = () => (seen === progress() ? finish() : timer?.refresh());
      // A broken connection is reported by the connection itself.
      roundTrip().then(confirm, () => timer?.refresh());
    };
    channel.on('exit', (code: number | null, signal?: string) => {
      end = { code, signal: signal ?? null };
      seen = progress();
      timer = setTimeout(look, QUIET_MS);
    });
    channel.on('close', finish);
  });
}
