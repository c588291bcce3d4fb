import type { Command } from 'commander';
import { print } from '../output.js';
import { offerFor } from './candidates.js';
import { findValues } from './find-values.js';

/** First word of the command line that the completion scripts run. */
export const COMPLETE = '__complete';

/**
 * Answers a shell: a line for each word that it may offer, `word<TAB>about`, or `:files` where it is to offer files.
 * @param words after `rex`, as the shell has split them; the last one is being written
 */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  const offer = await offerFor(program, joinFlags(words), findValues);
  if (offer === 'files') return print(':files');
  for (const { value, about } of offer) if (value !== '') print(`${value}\t${about.replaceAll(/\s+/g, ' ')}`);
}

/** bash splits `--k=server` into three words; the value is a word of its own there, and offered as one. */
export function joinFlags(words: readonly string[]): string[] {
  return words.flatMap((word, at) => {
    const isSign = word === '=' && (words[at - 1] ?? '').startsWith('--');
    if (!isSign) return [word];
    return at === words.length - 1 ? [''] : [];
  });
}
