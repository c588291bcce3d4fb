import { basename } from 'node:path/posix';
import type { ResolvedHealth } from '@rexdeploy/shared/config/resolved';
import { quote } from '@rexdeploy/ssh/quote';
import type { Transport } from '@rexdeploy/ssh/transport';
import { z } from 'zod';
import { checkFacts } from '../hosts/answers.js';
import { scripts } from '../hosts/remote-scripts.js';

const PLACEHOLDER = '{release}';

/** Does a check ask which release answers? */
export function namesRelease({ url, contains, headers, command }: ResolvedHealth): boolean {
  return [url, contains, command, ...Object.values(headers)].some((text) => text.includes(PLACEHOLDER));
}

/** The check with the base name of a release filled in for `{release}`. */
export function withRelease(health: ResolvedHealth, release: string): ResolvedHealth {
  const name = basename(release);
  const fill = (text: string, value: string): string => text.replaceAll(PLACEHOLDER, () => value);
  return {
    ...health,
    url: fill(health.url, encodeURIComponent(name)),
    contains: fill(health.contains, name),
    headers: Object.fromEntries(Object.entries(health.headers).map(([key, value]) => [key, fill(value, name)])),
    // Bare wherever it can be, since it may stand within quotes of the command's own.
    command: fill(health.command, /^[\w.-]+$/.test(name) ? name : quote(name)),
  };
}

/** The release that a directory leads to now, for checks of instances that nothing was done to. */
export async function linkedRelease(host: Transport, programDir: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await host.run(scripts.linked, [programDir], { signal });
  return checkFacts(z.object({ release: z.string() }), stdout, host.host, 'linked').release;
}
