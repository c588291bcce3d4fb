/**
 * Debian starts a service as soon as its package is installed, on its default port. Here only the programs are wanted,
 * so for the duration of an installation the system's own switch for that (`policy-rc.d`, 101 = do not) is set.
 */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const POLICY = '/usr/sbin/policy-rc.d';
const ASIDE = `${POLICY}.before-rexdeploy`;

/**
 * @template T
 * @param {() => Promise<T>} install
 * @returns {Promise<T>}
 */
export async function withoutServiceStarts(install) {
  // One that an interrupted run left aside is the system's own; ours must not replace it.
  if (existsSync(POLICY) && !existsSync(ASIDE)) renameSync(POLICY, ASIDE);
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  process.on('exit', restore);
  try {
    return await install();
  } finally {
    process.off('exit', restore);
    restore();
  }
}

function restore() {
  rmSync(POLICY, { force: true });
  if (existsSync(ASIDE)) renameSync(ASIDE, POLICY);
}
