import { setTimeout as delay } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { closeChannel, closes, discardStreams } from './close-channel.js';
import type { Link } from './link.js';
import { openSession } from './open-session.js';
import { commandLine } from './quote.js';
import { REAP } from './reap.js';
import type { RunMark } from './run-mark.js';

/** What a signal over the channel gets to take effect before the reaper is sent, in ms. */
const SIGNAL_GRACE_MS = 200;
/** Longest the reaper is waited for, in ms; it takes a second when something ignores TERM. */
const REAP_MS = 2_500;

/**
 * Ends a command nobody waits for any more: TERM over the channel, and where that has no effect (sshd refuses it for
 * root and for forced commands) a script that finds the command by its mark, TERM and a second later KILL. Never
 * fails, and gives up on a host that does not answer.
 *
 * What runs as root is left to the script alone, as root too: the user who logs in may not signal it, and a channel that
 * closes would only mean that the log-in shell has ended.
 */
export async function killCommand(link: Link, channel: ClientChannel, mark: RunMark): Promise<void> {
  discardStreams(channel);
  if (!link.sudo) {
    sendTerm(channel);
    if (await closes(channel, SIGNAL_GRACE_MS)) return;
  }
  const release = await link.reapers.take();
  const over = new AbortController();
  const overdue = delay(REAP_MS, undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([reap(link, mark), overdue]);
  over.abort();
  release();
  channel.close();
}

async function reap(link: Link, mark: RunMark): Promise<void> {
  const line = commandLine(REAP, [mark.prefix, mark.id], undefined, link.sudo);
  const reaper = await openSession(link, line, (channel) => channel).catch(() => undefined);
  if (reaper === undefined) return;
  discardStreams(reaper);
  reaper.end();
  await closes(reaper, REAP_MS);
  closeChannel(reaper);
}

interface ChannelInside {
  readonly outgoing: { readonly id: number; readonly state: string };
  readonly _client: { readonly _protocol: { signal(channelId: number, name: string): void } };
}

/**
 * `channel.signal` of ssh2 1.17 sends nothing once stdin is closed, which it mostly is; the protocol allows it until
 * the channel is closed (RFC 4254 §6.9), so the request is made one level below.
 */
function sendTerm(channel: ClientChannel): void {
  try {
    const inside = channel as unknown as ChannelInside;
    if (inside.outgoing.state === 'open' || inside.outgoing.state === 'eof') {
      inside._client._protocol.signal(inside.outgoing.id, 'TERM');
    }
  } catch {
    // The reaper comes next.
  }
}
