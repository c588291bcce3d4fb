import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { z } from 'zod';
import { unlessMissing } from './missing.js';
import { writeFileAtomic } from './temp-files.js';

/** Names become folders, so '.' and '..' are none. */
const Name = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+$/, 'expected letters, digits, "_", "." and "-"')
  .refine((name) => name !== '.' && name !== '..', 'not a name');
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 digest in hex');
const Id = z.string().regex(/^pkg-[0-9A-Za-z]+$/, 'expected pkg-<ulid>');

const PackageRecordSchema = z.strictObject({
  id: Id,
  k: Name,
  kind: z.enum(['program', 'config']),
  instance: Name.optional(),
  manifest: Sha256,
  sha256: Sha256,
  files: z.int().min(0),
  size: z.int().min(0),
  createdAt: z.iso.datetime(),
  by: z.string(),
});

/**
 * An uploaded package. `instance` is given for a config of one instance; `manifest` is the id of its tree; `sha256` is
 * that of the archive as uploaded; `size` counts unpacked bytes; `createdAt` is ISO 8601; `by` is the token's name.
 */
export type PackageRecord = Readonly<z.infer<typeof PackageRecordSchema>>;
export type PackageKind = PackageRecord['kind'];

/** Records of uploaded packages as files `<dir>/<name>/<id>.json`. */
export class PackageStore {
  readonly #dir: string;
  readonly #tempDir: string;

  /** @param tempDir where files grow until they are whole; on the same file system as `dir` */
  constructor(dir: string, tempDir: string) {
    this.#dir = dir;
    this.#tempDir = tempDir;
  }

  /** @throws PackageError when the record is not one, so that nothing unreadable is ever stored */
  async save(record: PackageRecord): Promise<void> {
    const { k, id } = check(record, record.id);
    await writeFileAtomic(join(this.#dir, k, `${id}.json`), `${JSON.stringify(record)}\n`, this.#tempDir);
  }

  /** The package of this id, whatever its name; undefined when there is none. */
  async get(id: string): Promise<PackageRecord | undefined> {
    if (!Id.safeParse(id).success) return undefined;
    for (const k of await this.#names()) {
      const record = await this.#read(k, id);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  /** All packages of a name, the newest first. */
  async list(k: string): Promise<PackageRecord[]> {
    const ids = (await entriesOf(join(this.#dir, checkName(k)))).flatMap((file) => {
      const id = file.replace(/\.json$/, '');
      return Id.safeParse(id).success ? [id] : [];
    });
    // The time is the first part of a ulid.
    ids.sort().reverse();
    const records = await Promise.all(ids.map((id) => this.#read(k, id)));
    return records.filter((record) => record !== undefined);
  }

  /** The newest package of a name; a config is asked for by instance, a program without. */
  async newest(k: string, kind: PackageKind, instance?: string): Promise<PackageRecord | undefined> {
    return (await this.list(k)).find((record) => record.kind === kind && record.instance === instance);
  }

  /**
   * Forgets all but the newest `keep` packages of each kind and instance. Their content is freed by the next garbage
   * collection.
   * @param inUse ids of packages that are kept however old they are
   * @returns the records that were removed
   */
  async prune(k: string, keep: number, inUse: ReadonlySet<string> = new Set()): Promise<PackageRecord[]> {
    const counts = new Map<string, number>();
    const surplus = (await this.list(k)).filter(({ id, kind, instance = '' }) => {
      const group = `${kind} ${instance}`;
      const count = (counts.get(group) ?? 0) + 1;
      counts.set(group, count);
      return count > keep && !inUse.has(id);
    });
    for (const { id } of surplus) await rm(this.#file(k, id), { force: true });
    return surplus;
  }

  /** Every record of every name. */
  async all(): Promise<PackageRecord[]> {
    return (await Promise.all((await this.#names()).map((k) => this.list(k)))).flat();
  }

  async #names(): Promise<string[]> {
    return (await entriesOf(this.#dir)).filter((name) => Name.safeParse(name).success);
  }

  #file(k: string, id: string): string {
    return join(this.#dir, k, `${id}.json`);
  }

  /** @returns undefined when there is no such record, or it was pruned meanwhile */
  async #read(k: string, id: string): Promise<PackageRecord | undefined> {
    const text = await unlessMissing(readFile(this.#file(k, id), 'utf8'));
    return text === undefined ? undefined : check(parseJson(text, id), id);
  }
}

function parseJson(text: string, id: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PackageError({ where: id, what: 'the stored package record is damaged', cause });
  }
}

function check(record: unknown, id: string): PackageRecord {
  const parsed = PackageRecordSchema.safeParse(record);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PackageError({ where: id, what: `${issue?.path.join('.') ?? 'record'}: ${issue?.message ?? 'wrong'}` });
}

function checkName(k: string): string {
  const parsed = Name.safeParse(k);
  if (!parsed.success) throw new PackageError({ where: k, what: 'not a name' });
  return parsed.data;
}

async function entriesOf(dir: string): Promise<string[]> {
  return (await unlessMissing(readdir(dir))) ?? [];
}
