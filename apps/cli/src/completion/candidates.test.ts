import { expect, test } from 'vitest';
import { makeProgram } from '../program.js';
import { type FindValues, offerFor } from './candidates.js';
import { joinFlags } from './complete.js';

const asked: string[] = [];
const find: FindValues = async (what, line) => {
  asked.push(`${what} ${line.command.name()} ${line.options.get('k') ?? ''}`.trimEnd());
  return [
    { value: 'server', about: '' },
    { value: 'search', about: '' },
  ];
};
const offered = async (...words: string[]): Promise<readonly string[] | string> => {
  const offer = await offerFor(makeProgram(), joinFlags(words), find);
  return offer === 'files' ? offer : offer.map(({ value }) => value);
};

test('commands, and those below them', async () => {
  expect(await offered('de')).toEqual(['deploy']);
  expect(await offered('token', '')).toEqual(expect.arrayContaining(['create', 'list', 'revoke']));
  expect(await offered('deploy', '')).toEqual([]);
});

test('options that are not there yet, those of all commands too', async () => {
  const options = await offered('deploy', '--k', 'x', '--');
  expect(options).toEqual(expect.arrayContaining(['--senv', '--dry-run', '--json', '--config', '--help']));
  expect(options).not.toContain('--k');
  expect(await offered('token', 'create', '--ro')).toEqual(['--role']);
});

test('values: fixed ones, files, and those that are asked for', async () => {
  expect(await offered('deploy', '--on-failure', 'roll')).toEqual(['rollback', 'rollback_all']);
  expect(await offered('upload', '')).toBe('files');
  expect(await offered('deploy', '--config', 'c')).toBe('files');
  expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  asked.length = 0;
  expect(await offered('rollback', '--k', 'ser')).toEqual(['server']);
  await offered('rollback', '--k', 'server', '--to', '');
  await offered('watch', '');
  await offered('cancel', '');
  expect(asked).toEqual(['name rollback', 'release rollback server', 'job watch', 'live-job cancel']);
});

test('an option that may go without its value is not in the way of the next one', async () => {
  expect(await offered('deploy', '--hold', '')).toEqual(['0', '1']);
  expect(await offered('deploy', '--hold', '--k', 'se')).toEqual(['server', 'search']);
});

test('--option=value, as one word and in the three that bash makes of it', async () => {
  expect(await offered('deploy', '--on-failure=h')).toEqual(['--on-failure=halt']);
  expect(await offered('deploy', '--on-failure', '=', 'h')).toEqual(['halt']);
  expect(await offered('deploy', '--on-failure', '=')).toEqual(['rollback', 'rollback_all', 'halt']);
});
