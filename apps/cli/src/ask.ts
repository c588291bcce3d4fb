import { createInterface } from 'node:readline/promises';
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
