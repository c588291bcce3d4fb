import { RexError } from '@rexdeploy/shared/errors/rex-error';
import { scriptMark } from './run-mark.js';
import type { RemoteScript } from './transport.js';

/**
 * Longest command line that is sent, in bytes: Linux takes at most 32 pages in one argument (MAX_ARG_STRLEN,
 * linux/binfmts.h), and the login shell gets the whole line as one. Larger data belongs on stdin.
 */
const MAX_COMMAND_BYTES = 131_071;

/** Never asks for a password, and with root's home: `~` must mean one folder, whatever the host's sudoers keeps. */
const AS_ROOT = 'sudo -n -H -- ';

/**
 * Quotes one argument for a POSIX shell: everything between single quotes is literal, a single quote itself is
 * written as `'\''`. The only function through which anything is interpolated into a command.
 *
 * @throws RexError when the argument holds a NUL, which no argument can carry
 */
export function quote(arg: string): string {
  if (arg.includes('\0')) {
    throw new RexError({
      what: 'an argument of a remote command holds a NUL byte',
      whatToDo: 'remove it, or pass the data on stdin',
    });
  }
  return `'${arg.replaceAll("'", "'\\''")}'`;
}

/**
 * Builds `sh -c '<text>' 'rex:<name>' 'arg1' …`. Arguments show in the host's process list, so secrets go on stdin.
 *
 * @param mark `$0` of the script
 * @param sudo run it as root
 * @throws RexError when an argument holds a NUL or the line is longer than a host can take
 */
export function commandLine(
  script: RemoteScript,
  args: readonly string[],
  mark: string = scriptMark(script.name),
  sudo = false,
): string {
  const line = `${sudo ? AS_ROOT : ''}sh -c ${[script.text, mark, ...args].map(quote).join(' ')}`;
  if (Buffer.byteLength(line) > MAX_COMMAND_BYTES) {
    throw new RexError({
      what: `the command line of ${script.name} is longer than ${MAX_COMMAND_BYTES} bytes`,
      whatToDo: 'pass its data on stdin',
    });
  }
  return line;
}
