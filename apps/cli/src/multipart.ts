import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

/** A form with one file as `multipart/form-data`; the file is streamed, never held in memory. */
export interface MultipartForm {
  headers: { 'content-type': string; 'content-length': string };
  body: Readable;
}

/** A file to send. */
export interface SentFile {
  path: string;
  name: string;
  size: number;
  /** Told of each piece that has gone to the connection. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** The fields come before the file, so that the receiver can refuse before it has read all of it. */
export function multipartForm(fields: Readonly<Record<string, string>>, file: SentFile): MultipartForm {
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

async function* parts(before: Buffer, file: SentFile, after: Buffer): AsyncGenerator<Buffer> {
  yield before;
  if (file.size > 0) {
    // A file that grows meanwhile must not make the body longer than announced.
    for await (const piece of createReadStream(file.path, { end: file.size - 1, highWaterMark: 256 * 1024 })) {
      yield piece;
      file.onBytes?.(piece.length);
    }
  }
  yield after;
}
