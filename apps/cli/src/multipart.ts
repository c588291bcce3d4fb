import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

/** A form with one file as `multipart/form-data`; the file is streamed, never held in memory. */
export interface MultipartForm {
  headers: { 'content-type': string; 'content-length': string };
  body: Readable;
}

/** The fields come before the file, so that the receiver can refuse before it has read all of it. */
export function multipartForm(
  fields: Readonly<Record<string, string>>,
  file: { path: string; name: string; size: number },
): MultipartForm {
  const boundary = `rex-${randomUUID()}`;
  const heads = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const filename = file.name.replace(/["\\\r\n]/g, '_');
  const fileHead = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${filename}"\r\ncontent-type: application/octet-stream\r\n\r\n`;
  const before = Buffer.from(heads.join('') + fileHead);
  const after = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(before.length + file.size + after.length),
    },
    body: Readable.from(parts(before, file, after), { objectMode: false }),
  };
}

async function* parts(before: Buffer, file: { path: string; size: number }, after: Buffer): AsyncGenerator<Buffer> {
  yield before;
  // A file that grows meanwhile must not make the body longer than announced.
  if (file.size > 0) yield* createReadStream(file.path, { end: file.size - 1, highWaterMark: 256 * 1024 });
  yield after;
}
