import { address } from '@rexdeploy/ssh/address';
import { Connections } from '@rexdeploy/ssh/connections';
import type { HostKey } from '@rexdeploy/ssh/host-key';
import { readKnownHosts, refusal } from '@rexdeploy/ssh/host-verifier';
import { checkHostKey, fingerprint } from '@rexdeploy/ssh/known-hosts';
import { fetchHostKeys, trustHost } from '@rexdeploy/ssh/trust';
import { askConsent } from './ask.js';
import { note, print } from './output.js';
import type { TrustTarget } from './trust-target.js';

export interface TrustOptions {
  replace?: true;
  yes?: true;
}

/**
 * Shows the keys of a host and, with consent, adds them to its known_hosts files.
 * @throws HostKeyError when a key has changed; RefusedError when the answer is not yes
 */
export async function trust(target: TrustTarget, options: TrustOptions): Promise<void> {
  const { host, port, knownHosts } = target;
  const keys = await fetchKeys(target);
  const name = address(host, port);
  note(`${name} presents`);
  for (const key of keys) note(`  ${key.type} ${fingerprint(key.blob)}`);
  const news = await Promise.all(knownHosts.map((file) => isNews(file, target, keys, options.replace === true)));
  if (!news.includes(true)) return print(`${name} is trusted already in ${knownHosts.join(', ')}`);
  if (options.yes !== true) {
    await askConsent('Are these the fingerprints of that host?', 'compare the fingerprints, then run again with --yes');
  }
  for (const file of knownHosts) {
    const { added, replaced } = await trustHost(file, host, port, keys, { replace: options.replace === true });
    if (added.length > 0) print(`${file}: ${added.length} keys of ${name} added, ${replaced} taken out`);
  }
}

/**
 * The keys of a host, through the jump host where there is one.
 * @throws HostKeyError when the jump host is not trusted itself: that comes first
 */
async function fetchKeys({ host, port, via }: TrustTarget): Promise<HostKey[]> {
  if (via === undefined) return fetchHostKeys(host, port);
  await using connections = new Connections();
  note(`${address(host, port)} is reached through jump host ${address(via.host, via.port)}`);
  const jump = await connections.getJump(via);
  // Awaited here: the connections are closed at the end of this function.
  return await fetchHostKeys(host, port, { jump });
}

/**
 * Does the file lack one of the keys?
 * @throws HostKeyError when a key has changed or is revoked: nobody should be asked to consent to that in passing
 */
async function isNews(file: string, { host, port }: TrustTarget, keys: HostKey[], replace: boolean): Promise<boolean> {
  const text = await readKnownHosts(file, host);
  const verdicts = keys.map((key) => ({ key, verdict: checkHostKey(text, host, port, key.blob) }));
  for (const { key, verdict } of verdicts) {
    if (verdict.verdict === 'revoked' || (verdict.verdict === 'changed' && !replace)) {
      throw refusal(verdict, host, port, key.blob);
    }
  }
  return verdicts.some(({ verdict }) => verdict.verdict !== 'trusted');
}
