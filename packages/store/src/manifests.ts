import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { type Manifest, manifestId, parseManifest, serializeManifest } from './manifest.js';
import { unlessMissing } from './missing.js';
import { writeFileAtomic } from './temp-files.js';

const ID = /^[0-9a-f]{64}$/;

/** Manifests as files `<dir>/<id>.ndjson`. */
export class ManifestStore {
  readonly #dir: string;
  readonly #tempDir: string;

  /** @param tempDir where files grow until they are whole; on the same file system as `dir` */
  constructor(dir: string, tempDir: string) {
    this.#dir = dir;
    this.#tempDir = tempDir;
  }

  /** Keeps a manifest and returns its id. One that is there already begins its age anew. */
  async save(manifest: Manifest): Promise<string> {
    const id = manifestId(manifest);
    await writeFileAtomic(this.#path(id), serializeManifest(manifest), this.#tempDir);
    return id;
  }

  /** @throws PackageError when there is none of this id, or its file was damaged */
  async load(id: string): Promise<Manifest> {
    const text = await unlessMissing(readFile(this.#path(id), 'utf8'));
    if (text === undefined) throw new PackageError({ where: id, what: 'the store has no manifest of this id' });
    const manifest = parseManifest(text);
    if (manifestId(manifest) !== id) throw new PackageError({ where: id, what: 'the stored manifest is damaged' });
    return manifest;
  }

  async has(id: string): Promise<boolean> {
    return (await this.modifiedAt(id)) !== undefined;
  }

  /** When a manifest was last saved; undefined when there is none of this id. */
  async modifiedAt(id: string): Promise<Date | undefined> {
    return (await unlessMissing(stat(this.#path(id))))?.mtime;
  }

  async ids(): Promise<string[]> {
    return ((await unlessMissing(readdir(this.#dir))) ?? []).flatMap((name) => {
      const id = name.replace(/\.ndjson$/, '');
      return ID.test(id) ? [id] : [];
    });
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  #path(id: string): string {
    if (!ID.test(id)) throw new PackageError({ where: id, what: 'not a manifest id' });
    return join(this.#dir, `${id}.ndjson`);
  }
}
