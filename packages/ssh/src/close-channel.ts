import type { ClientChannel } from 'ssh2';

/** Closes the channel of a command that has ended, even if something it left behind keeps its streams open. */
export function closeChannel(channel: ClientChannel): void {
  discardStreams(channel);
  channel.close();
}

/** What still arrives is thrown away, or the channel's window would fill up and its close never be seen. */
export function discardStreams(channel: ClientChannel): void {
  channel.on('error', () => {});
  channel.removeAllListeners('data').resume();
  channel.stderr.removeAllListeners('data').resume();
}

/** Whether the channel closes within so many ms. */
export function closes(channel: ClientChannel, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), withinMs);
    channel.once('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
