import type { Multipart } from '@fastify/multipart';
import { PackageError, PackageTooLargeError } from '@rexdeploy/shared/errors/deployment-errors';
import { ParameterError, TooLargeError } from '@rexdeploy/shared/errors/request-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { Store } from '@rexdeploy/store/store';
import type { FastifyRequest } from 'fastify';
import { quote, type Received, ReceivedBuilder } from './received.js';

type ReceivedFile = Awaited<ReturnType<Store['receive']>>;

/** A form that came with a file. The file is on disk, and the caller's to remove. */
export interface UploadForm {
  fields: Received;
  file: ReceivedFile | undefined;
}

/** Limits on all but the file, which the store limits. */
export const FORM_LIMITS = {
  fields: 20,
  files: 2,
  parts: 22,
  fieldSize: 4096,
  fieldNameSize: 100,
  headerPairs: 100,
  fileSize: Number.MAX_SAFE_INTEGER,
};

/**
 * Reads a multipart form, in whatever order its parts come, and stores the file. After a failure no file is left.
 * @throws ParameterError for a damaged form; TooLargeError for a file past the store's limit
 */
export async function readUploadForm(
  request: FastifyRequest,
  store: Store,
  signal: AbortSignal,
  discard: (file: ReceivedFile) => Promise<void>,
): Promise<UploadForm> {
  const fields = new ReceivedBuilder();
  let file: ReceivedFile | undefined;
  try {
    for await (const part of partsOf(request)) {
      if (part.type === 'field') addField(fields, part);
      else if (part.fieldname !== 'file') {
        throw new ParameterError({ what: `${quote(part.fieldname)} came as a file: the file is called "file"` });
      } else if (file !== undefined) throw new ParameterError({ what: '"file" is given more than once' });
      else file = await receive(part, store, signal);
    }
    return { fields: fields.build(), file };
  } catch (error) {
    if (file !== undefined) await discard(file);
    throw error;
  }
}

function addField(fields: ReceivedBuilder, part: Extract<Multipart, { type: 'field' }>): void {
  const { fieldname, value, valueTruncated } = part;
  if (fieldname === 'file') fields.fault('"file" came as a text: expected a file, that is, a part with a file name');
  else if (typeof value !== 'string' || valueTruncated) {
    fields.fault(`${quote(fieldname)}: expected a text of at most ${FORM_LIMITS.fieldSize} bytes`);
  } else fields.add(fieldname, value);
}

/** The parser's own complaints have no class; whatever it throws is a fault of the form. */
async function* partsOf(request: FastifyRequest): AsyncGenerator<Multipart, void, undefined> {
  try {
    yield* request.parts();
  } catch (error) {
    throw asDamage(error);
  }
}

async function receive(
  { file }: Extract<Multipart, { type: 'file' }>,
  store: Store,
  signal: AbortSignal,
): Promise<ReceivedFile> {
  try {
    return await refusing(() => store.receive(file, { signal }));
  } catch (error) {
    throw error === file.errored ? asDamage(error) : error;
  }
}

/** A fault of the form, unless it is one of our disk, or has a status already. */
function asDamage(error: unknown): unknown {
  if (error instanceof RexError || !(error instanceof Error)) return error;
  if ('statusCode' in error || 'syscall' in error) return error;
  return new ParameterError({ what: `the multipart body is damaged: ${error.message}`, cause: error });
}

/** What the store says against an upload is said to the one who uploads. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    const { what, where = 'file', whatToDo } = error;
    const facts = { what, where, whatToDo, cause: error };
    throw error instanceof PackageTooLargeError ? new TooLargeError(facts) : new ParameterError(facts);
  }
}
