import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandLine, quote } from './quote.js';

test.each(['', 'a', "it's", "''", '$HOME `id` $(id)', 'a\nb\tc', '\\', '!x', '-n', '*', '漢字 ü', '"', "'\\''", '~'])(
  'the shell gives back %j unchanged',
  (arg) => {
    expect(execFileSync('sh', ['-c', `printf %s ${quote(arg)}`], { encoding: 'utf8' })).toBe(arg);
  },
);

test('a NUL byte is refused', () => {
  expect(() => quote('a\0b')).toThrow(/NUL/);
});

test('a script gets its mark and its arguments, and its text is not touched', () => {
  const script = { name: 'probe', text: `printf '%s|' "$0" "$@"` };
  const line = commandLine(script, ['a b', "it's", '', '$x']);
  expect(line).toMatch(/^sh -c /);
  expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' })).toBe("rex:probe|a b|it's||$x|");
});

test('a command line no host can take is refused here', () => {
  expect(() => commandLine({ name: 'probe', text: ':' }, ['x'.repeat(131_072)])).toThrow(/longer than 131071 bytes/);
});
