import { rm } from 'node:fs/promises';
import multipart from '@fastify/multipart';
import { routes } from '@rexdeploy/shared/api/routes';
import { type PackageRow, type UploadFields, uploadFieldsSchema } from '@rexdeploy/shared/api/routes/packages';
import type { ResolvedName } from '@rexdeploy/shared/config/resolved';
import { packagesInUse } from '@rexdeploy/shared/deployments/packages-in-use';
import {
  NotFoundError,
  ParameterError,
  TooLargeError,
  UnavailableError,
} from '@rexdeploy/shared/errors/request-errors';
import { newPackageId } from '@rexdeploy/shared/ids';
import { list } from '@rexdeploy/shared/journal/envelope';
import { allowsName, type TokenRecord } from '@rexdeploy/shared/tokens';
import { humanSize } from '@rexdeploy/shared/units';
import type { PackageRecord } from '@rexdeploy/store/packages';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify';
import { answerOf } from '../answers/frame.js';
import { checkParams } from '../params/check.js';
import { queryOf, querySchema } from '../params/query.js';
import { quote } from '../params/received.js';
import { FORM_LIMITS, readUploadForm, refusing, type UploadForm } from '../params/upload-form.js';
import type { ApiParts } from '../parts.js';
import { callerOf, mustAllowName } from '../plugins/auth.js';
import { wrongMediaType } from '../plugins/errors.js';
import { askRedis } from '../redis/ask.js';

const uploadQuery = querySchema(routes['POST /packages'].query.shape);
const listQuery = querySchema(routes['GET /packages'].query.shape);

/** Room for the form around the file. */
const FORM_BYTES = 1024 ** 2;

/** Uploads, and what was uploaded. */
export async function packageRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config, store, redis, keys } = parts;
  await app.register(multipart, { limits: FORM_LIMITS, throwFileSizeLimit: false });

  app.post('/packages', { config: { access: 'deployer' } }, async (request, reply) => {
    if (!request.isMultipart()) throw wrongMediaType(request, 'multipart/form-data');
    queryOf(request, uploadQuery);
    refuseByLength(request);
    const life = app.lifeOf(reply);
    const discard = ({ file }: { file: string }) => rm(file, { force: true });
    try {
      const form = await readUploadForm(request, store, life, discard);
      // The fields are the request's parameters, as the answer shows them.
      request.received = { ...form.fields, values: { ...request.received?.values, ...form.fields.values } };
      try {
        const record = await takeIn(form, callerOf(request), life);
        await removeSurplus(record.k, request.log);
        const msg = `${record.id} uploaded for ${record.instance ?? record.k}`;
        return answerOf(request, reply, config, { data: {}, msg, ...view(record) });
      } finally {
        if (form.file !== undefined) await discard(form.file);
      }
    } catch (error) {
      if (life.aborted) throw new UnavailableError({ what: 'the upload was broken off', cause: error });
      throw error;
    }
  });

  async function removeSurplus(k: string, log: FastifyBaseLogger): Promise<void> {
    try {
      const inUse = await askRedis(() => packagesInUse(redis, keys));
      await store.packages.prune(k, config.packages.keep, inUse);
    } catch (error) {
      // The upload itself is in the store, and the next one tidies up.
      if (!(error instanceof UnavailableError)) throw error;
      log.warn({ err: error, k }, 'old packages stay for now');
    }
  }

  app.get('/packages', { config: { access: 'token' } }, async (request, reply) => {
    const { k } = queryOf(request, listQuery);
    const caller = callerOf(request);
    if (k !== undefined) nameOf(k, caller);
    const all = k === undefined ? await store.packages.all() : await store.packages.list(k);
    const records = all.filter((record) => allowsName(caller, record.k));
    return answerOf(request, reply, config, { data: list(records.map(view)), msg: `${records.length} packages` });
  });

  /** So large that it cannot be taken: said before gigabytes are sent, where the client says the length. */
  function refuseByLength(request: FastifyRequest): void {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length <= config.packages.maxBytes + FORM_BYTES) return;
    throw new TooLargeError({
      what: `the upload of ${length} bytes is larger than packages.max_bytes, ${humanSize(config.packages.maxBytes)}`,
    });
  }

  async function takeIn({ fields, file }: UploadForm, caller: TokenRecord, life: AbortSignal): Promise<PackageRecord> {
    if (fields.faults.length > 0) throw new ParameterError({ what: fields.faults.join('; ') });
    const upload = checkParams(uploadFieldsSchema, fields.values);
    checkInstance(upload, nameOf(upload.k, caller));
    if (file === undefined) throw new ParameterError({ what: 'missing: file' });
    const { sha256 } = upload;
    if (sha256 !== undefined && sha256.toLowerCase() !== file.sha256) {
      throw new ParameterError({ what: `sha256=${quote(sha256)}: the file that came has ${file.sha256}` });
    }
    const tree = await refusing(() => store.ingest(file.file, life));
    const record: PackageRecord = {
      id: newPackageId(),
      k: upload.k,
      kind: upload.kind,
      ...(upload.instance === undefined ? {} : { instance: upload.instance }),
      manifest: tree.manifest,
      sha256: file.sha256,
      files: tree.files,
      size: tree.size,
      createdAt: new Date().toISOString(),
      by: caller.name,
    };
    await store.packages.save(record);
    return record;
  }

  function nameOf(k: string, caller: TokenRecord): ResolvedName {
    mustAllowName(caller, k);
    const name = config.own.names.get(k);
    if (name !== undefined) return name;
    const known = [...config.own.names.keys()].join(', ') || 'none';
    throw new NotFoundError({ what: `k=${quote(k)}: there is no such name`, whatToDo: `names are: ${known}` });
  }
}

function checkInstance({ kind, instance }: UploadFields, name: ResolvedName): void {
  const known = [...name.instances.keys()].join(', ');
  if (kind === 'program') {
    if (instance === undefined) return;
    throw new ParameterError({
      what: `instance=${quote(instance)} goes with kind=config: a program is for all instances`,
    });
  }
  if (instance === undefined) {
    throw new ParameterError({ what: `missing: instance; a configuration is that of one instance (${known})` });
  }
  const found = name.instances.get(instance);
  if (found === undefined) {
    throw new NotFoundError({ what: `instance=${quote(instance)} is no instance of "${name.k}"; they are: ${known}` });
  }
  if (found.configDir === undefined && found.configInside === undefined) {
    throw new ParameterError({ what: `instance=${quote(instance)} has no config_dir in the configuration file` });
  }
}

const view = (record: PackageRecord): PackageRow => ({
  package: record.id,
  k: record.k,
  kind: record.kind,
  instance: record.instance ?? {},
  files: String(record.files),
  size: String(record.size),
  sha256: record.sha256,
  created_at: record.createdAt,
  by: record.by,
});
