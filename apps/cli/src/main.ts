import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { CommanderError } from 'commander';
import { COMPLETE, complete } from './completion/complete.js';
import { EXIT, exitCodeOf } from './errors.js';
import { note } from './output.js';
import { makeProgram } from './program.js';

// `rex list | head` closes our stdout early: nothing is wrong, and nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed),
);

try {
  const [, , first, ...words] = process.argv;
  // Before commander, which would take the words for options of its own.
  if (first === COMPLETE) await complete(makeProgram(), words);
  else await makeProgram().parseAsync();
} catch (thrown) {
  process.exitCode = report(thrown);
}

/** Says what went wrong, in one sentence and without a stack. */
function report(thrown: unknown): number {
  // commander has already printed its message, or the help that was asked for.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = toRexError(thrown);
  note(`rex: ${error.message}`);
  return exitCodeOf(error);
}
