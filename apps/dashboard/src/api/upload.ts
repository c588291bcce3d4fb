import { parseAnswer } from '@rexdeploy/shared/api/parse-answer';
import type { AnswerOf } from '@rexdeploy/shared/api/routes';
import { UnreachableError } from '@rexdeploy/shared/errors/client-errors';
import { api, noteRefusal, PAGE_HEADERS } from './client.js';

/**
 * Uploads an archive; `fetch` cannot tell how far it is, so this is done the older way.
 * @param onProgress bytes sent and all of them
 * @throws RefusedError; UnreachableError; what the signal was aborted with
 */
export function upload(
  fields: { k: string },
  file: File,
  onProgress: (sent: number, total: number) => void,
  signal: AbortSignal,
): Promise<AnswerOf<'POST /packages'>> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open('POST', api.url('POST /packages'));
    for (const [name, value] of Object.entries(PAGE_HEADERS)) sending.setRequestHeader(name, value);
    sending.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    sending.onload = () => {
      noteRefusal(sending.status);
      try {
        const raw = { status: sending.status, text: sending.responseText, where: 'the server of this page' };
        resolve(parseAnswer('POST /packages', raw));
      } catch (error) {
        reject(error);
      }
    };
    sending.onerror = () => reject(new UnreachableError({ what: `the upload of ${file.name} broke off` }));
    sending.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => sending.abort(), { once: true });
    const form = new FormData();
    form.set('k', fields.k);
    form.set('file', file, file.name);
    sending.send(form);
  });
}
