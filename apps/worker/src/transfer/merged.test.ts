import { type Manifest, type ManifestEntry, makeManifest } from '@rexdeploy/store/manifest';
import { expect, test } from 'vitest';
import { mergeConfig, ownConfig, withoutConfig } from './merged.js';

const file = (path: string, content = '1'): ManifestEntry => ({
  path,
  type: 'file',
  mode: 0o644,
  size: 1,
  mtime: 1,
  sha256: content.repeat(64),
});
const link = (path: string): ManifestEntry => ({ path, type: 'symlink', mode: 0o777, size: 0, mtime: 1, target: 'x' });
const tree = (...entries: ManifestEntry[]): Manifest => makeManifest(entries);
/** `path content`, directories left out. */
const shown = ({ entries }: Manifest): string[] =>
  entries.flatMap((entry) => (entry.type === 'dir' ? [] : `${entry.path} ${entry.sha256?.[0] ?? '@'}`));

const current = tree(file('app', '1'), file('etc/conf/a', '1'), file('etc/conf/b', '1'), file('etc/config', '1'));

test('what only begins alike is no configuration', () => {
  expect(shown(withoutConfig(current, 'etc/conf'))).toEqual(['app 1', 'etc/config 1']);
  expect(shown(ownConfig(current, 'etc/conf', undefined, false, []))).toEqual(['etc/conf/a 1', 'etc/conf/b 1']);
});

test('an uploaded one is laid over, or stands alone; exclusions hold for it too', () => {
  const pending = tree(file('b', '2'), file('c', '2'), file('x.log', '2'));
  expect(shown(ownConfig(current, 'etc/conf', pending, false, ['*.log']))).toEqual([
    'etc/conf/a 1',
    'etc/conf/b 2',
    'etc/conf/c 2',
  ]);
  expect(shown(ownConfig(current, 'etc/conf', pending, true, ['*.log']))).toEqual(['etc/conf/b 2', 'etc/conf/c 2']);
});

test.each([
  ['stands above what the package has', tree(file('etc/conf/a', '9'), file('etc/conf/d', '9')), ['etc/conf/d 9']],
  ['makes its way where the package has none', tree(file('app', '9')), ['app 9']],
  ['takes the place of a link or file on its way', tree(link('etc'), file('app', '9')), ['app 9']],
  ['takes the place of a link that it is to the package', tree(link('etc/conf')), []],
])('merged, it %s', (_, program, rest) => {
  const merged = mergeConfig(program, ownConfig(current, 'etc/conf', undefined, false, []));
  expect(shown(merged).sort()).toEqual([...rest, 'etc/conf/a 1', 'etc/conf/b 1'].sort());
  // A sound tree: parents first, and directories.
  expect(makeManifest(merged.entries)).toEqual(merged);
});
