import { SudoError } from '@rexdeploy/shared/errors/host-errors';
import { address } from './address.js';
import type { Link } from './link.js';
import { commandLine } from './quote.js';
import { runCommand } from './run-command.js';
import type { RemoteScript } from './transport.js';

/** Long enough for a sudo that asks a directory service on the network. */
const CHECK_TIMEOUT_MS = 30_000;
const MISSING = 91;
const REFUSED = 92;

const ROOT_CHECK: RemoteScript = { name: 'root', text: '[ "$(id -u)" -eq 0 ]' };

/**
 * Looks whether sudo lets us in, in the very words in which scripts are run later.
 *
 * Answer: none. Exit codes: 91 there is no sudo, 92 it refuses, its own words on stderr.
 */
const SUDO_CHECK: RemoteScript = {
  name: 'sudo',
  text: `
command -v sudo > /dev/null 2>&1 || exit ${MISSING}
${commandLine(ROOT_CHECK, [], undefined, true)} || exit ${REFUSED}
`,
};

/**
 * Makes everything that runs over a connection run as root. Asked once for each connection: afterwards an exit code can
 * only be the script's own.
 *
 * @throws SudoError when sudo is missing or refuses; as `runCommand`
 */
export async function enableSudo(link: Link, user: string, signal: AbortSignal | undefined): Promise<void> {
  const { code, stderr } = await runCommand(link, SUDO_CHECK, [], {
    okCodes: [0, MISSING, REFUSED],
    timeoutMs: CHECK_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) {
    link.sudo = true;
    return;
  }
  const facts = { host: link.host, where: address(link.host, link.port) };
  if (code === MISSING) {
    throw new SudoError({
      ...facts,
      what: `there is no sudo on the PATH of user ${user}`,
      whatToDo: 'install it, or log in as a user who may do all and set ssh.sudo to false',
    });
  }
  throw new SudoError({
    ...facts,
    what: `sudo does not let user ${user} become root without a password: ${stderr.trim().split('\n').at(-1)}`,
    whatToDo: `add the line \`${user} ALL=(root) NOPASSWD: ALL\` on the host with \`visudo -f /etc/sudoers.d/rexdeploy\``,
  });
}
