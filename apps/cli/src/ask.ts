import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { RefusedError, UsageError } from './errors.js';

/**
 * Asks for consent on the terminal.
 * @param whatToDo how to consent where nobody can be asked
 * @throws RefusedError when the answer is not yes; UsageError when there is no terminal to ask on
 */
export async function askConsent(question: string, whatToDo: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError({ what: 'there is no terminal to ask on', whatToDo });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new RefusedError({ what: 'nothing was written' });
  } finally {
    lines.close();
  }
}

/** Asks for something that must not be seen: on a terminal without showing it, else the first line of stdin. */
export async function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write(question);
  // What is typed is echoed into nothing.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output, terminal: stdin.isTTY === true });
  try {
    const [answer] = await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [''])]);
    const secret = String(answer).trim();
    if (secret !== '') return secret;
    throw new UsageError({ what: 'no token was given', whatToDo: 'type it, or pipe it in: rex login < file' });
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write('\n');
  }
}
