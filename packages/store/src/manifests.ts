import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { type Manifest, manifestId, parseManifest, serializeManifest } from './manifest.js';
import { isMissing, unlessMissing } from './missing.js';
import { Recent } from './recent.js';
import { writeFileAtomic } from './temp-files.js';

const ID = /^[0-9a-f]{64}$/;
/** All hosts of a deployment need the same ones, and the next deployment what the last one left. */
const KEPT_MS = 30_000;
/** Entries of all that are kept: about 12 MiB. */
const KEPT_ENTRIES = 45_000;

/** Manifests as files `<dir>/<id>.ndjson`. */
export class ManifestStore {
  readonly #dir: string;
  readonly #tempDir: string;
  readonly #recent = new Recent<Manifest>(KEPT_MS, KEPT_ENTRIES);

  /** @param tempDir where files grow until they are whole; on the same file system as `dir` */
  constructor(dir: string, tempDir: string) {
    this.#dir = dir;
    this.#tempDir = tempDir;
  }

  /** Keeps a manifest and returns its id. One that is there already begins its age anew. */
  async save(manifest: Manifest): Promise<string> {
    const id = manifestId(manifest);
    // What was not read or written lately may have been damaged; it is written again.
    if (this.#recent.get(id) === undefined || !(await this.#refresh(id)))
      await writeFileAtomic(this.#path(id), serializeManifest(manifest), this.#tempDir);
    this.#keep(id, manifest);
    return id;
  }

  /**
   * A manifest, which must not be changed: others have the same one.
   * @throws PackageError when there is none of this id, or its file was damaged
   */
  async load(id: string): Promise<Manifest> {
    const recent = this.#recent.get(id);
    if (recent !== undefined) return recent;
    const text = await unlessMissing(readFile(this.#path(id), 'utf8'));
    if (text === undefined) throw new PackageError({ where: id, what: 'the store has no manifest of this id' });
    if (createHash('sha256').update(text).digest('hex') !== id)
      throw new PackageError({ where: id, what: 'the stored manifest is damaged' });
    const manifest = parseManifest(text);
    this.#keep(id, manifest);
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
    this.#recent.delete(id);
    await rm(this.#path(id), { force: true });
  }

  #keep(id: string, manifest: Manifest): void {
    this.#recent.set(id, manifest, manifest.entries.length);
  }

  /** Begins its age anew. @returns whether it is still there */
  async #refresh(id: string): Promise<boolean> {
    const now = new Date();
    try {
      await utimes(this.#path(id), now, now);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  #path(id: string): string {
    if (!ID.test(id)) throw new PackageError({ where: id, what: 'not a manifest id' });
    return join(this.#dir, `${id}.ndjson`);
  }
}
