/** A tar archive as a stream, of a size that no disk has to hold. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { pack } from 'tar-stream';
import { APP_PROGRAM } from './quick-app.mjs';

const PIECE = Buffer.alloc(1024 ** 2);

/** @param {{ files: number, sizeBytes: number, version: string }} size random content, and the program that answers */
export function archiveStream({ files, sizeBytes, version }) {
  const archive = pack();
  fill(archive, files, Math.floor(sizeBytes / files), version).catch((error) => archive.destroy(error));
  return archive;
}

async function fill(archive, files, size, version) {
  archive.entry({ name: 'version.txt' }, `${version}\n`);
  archive.entry({ name: 'app.pl', mode: 0o755 }, APP_PROGRAM);
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  for (let at = 0; at < files; at += 1) {
    const entry = archive.entry({ name: `lib/file-${at}.bin`, size });
    for (let left = size; left > 0; left -= PIECE.length) {
      const bytes = cipher.update(PIECE.subarray(0, Math.min(left, PIECE.length)));
      if (!entry.write(bytes)) await once(entry, 'drain');
    }
    entry.end();
    await once(entry, 'finish');
  }
  archive.finalize();
}
