import { rm } from 'node:fs/promises';
import { isAllowedHost } from '@rexdeploy/shared/api/allowed-host';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { maskSecretsIn } from '@rexdeploy/shared/mask';
import { Agent, type Dispatcher, request } from 'undici';
import type { RolloutContext } from '../rollout/context.js';

const MAX_REDIRECTS = 5;
const HEADERS_TIMEOUT_MS = 30_000;
/** Bytes must move within this time. */
const BODY_TIMEOUT_MS = 60_000;

/**
 * Downloads an archive, checks it and takes it into the store.
 * @param sha256 expected digest of the archive as it comes
 * @returns the id of its manifest
 * @throws PackageError naming the address and what is wrong: status, host, size, digest, not an archive, truncated
 */
export async function downloadPackage(
  { config, store, signal }: RolloutContext,
  url: string,
  sha256: string | undefined,
): Promise<string> {
  const agent = new Agent({ headersTimeout: HEADERS_TIMEOUT_MS, bodyTimeout: BODY_TIMEOUT_MS });
  try {
    const answer = await follow(new URL(url), config.packages.allowHosts, agent, signal);
    const received = await store.receive(answer.body, { sha256: sha256?.toLowerCase(), signal });
    try {
      return (await store.ingest(received.file, signal)).manifest;
    } finally {
      await rm(received.file, { force: true });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw atAddress(error, url);
  } finally {
    await agent.destroy();
  }
}

/** Follows redirects by hand: each address must be allowed, not only the first. */
async function follow(
  start: URL,
  allowHosts: readonly string[],
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  let url = start;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await request(url, { dispatcher, signal });
    const location = answer.headers.location;
    if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === 'string') {
      await answer.body.dump();
      url = new URL(location, url);
      if (!/^https?:$/.test(url.protocol) || !isAllowedHost(url.hostname, allowHosts)) {
        throw new PackageError({
          what: `redirects to ${url.protocol}//${url.host}, which packages.allow_hosts does not allow`,
          whatToDo: 'add the host to packages.allow_hosts, or give the final address',
        });
      }
      continue;
    }
    if (answer.statusCode === 200) return answer;
    await answer.body.dump();
    throw new PackageError({ what: `answered with status ${answer.statusCode}`, whatToDo: 'check the address' });
  }
  throw new PackageError({ what: `more than ${MAX_REDIRECTS} redirects` });
}

/** The fault with its address in front; a place inside the archive stays in the text. */
function atAddress(thrown: unknown, url: string): PackageError {
  const error = toRexError(thrown);
  const what = error.where === undefined ? error.what : `${error.where}: ${error.what}`;
  return new PackageError({ where: maskSecretsIn(url), what, whatToDo: error.whatToDo, cause: thrown });
}
