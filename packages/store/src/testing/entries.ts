import { createHash } from 'node:crypto';
import { type Manifest, type ManifestEntry, makeManifest } from '../manifest.js';

const MTIME = 1_700_000_000;

/**
 * A manifest from short forms: `'a/'` a directory, `'a -> b'` a symlink, `'a = text'` a file with that content; a plain
 * path is a file whose content is its path.
 */
export function manifestOf(...forms: readonly string[]): Manifest {
  return makeManifest(forms.map(entryOf));
}

/** The short forms of a manifest's entries; files are shown by path alone. */
export function pathsOf(manifest: Manifest): string[] {
  return manifest.entries.map(({ path, type, target }) =>
    type === 'dir' ? `${path}/` : type === 'symlink' ? `${path} -> ${target}` : path,
  );
}

function entryOf(form: string): ManifestEntry {
  const [path = '', target] = form.split(' -> ');
  if (target !== undefined) return { path, type: 'symlink', mode: 0o777, size: 0, mtime: MTIME, target };
  if (form.endsWith('/')) return { path: form.slice(0, -1), type: 'dir', mode: 0o755, size: 0, mtime: MTIME };
  const [file = '', content = form] = form.split(' = ');
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { path: file, type: 'file', mode: 0o644, size: Buffer.byteLength(content), mtime: MTIME, sha256 };
}
