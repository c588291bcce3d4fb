/** A client that knows the documented interface and nothing else. */
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';

export class Client {
  #base;
  #token;
  #agent = new Agent({ headersTimeout: 3_600_000, bodyTimeout: 0 });

  constructor(base, token) {
    this.#base = base;
    this.#token = token;
  }

  /** `POST /rex` with a form body. */
  rex(params) {
    return this.#send('/rex', 'POST', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(params).toString(),
    });
  }

  get(path) {
    return this.#send(path, 'GET', {});
  }

  /**
   * Uploads what a stream gives, without ever having it whole.
   * @returns the package's id
   */
  async upload(k, file, stream) {
    const boundary = randomBytes(16).toString('hex');
    const { status, body } = await this.#send('/packages', 'POST', {
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: multipart(boundary, k, file, stream),
    });
    const id = body.data?.package;
    if (status >= 300 || typeof id !== 'string') throw new Error(`the upload was answered with ${status} ${body.msg}`);
    return id;
  }

  /** A job's journal from its start to its end. */
  async events(id) {
    const answer = await request(`${this.#base}/jobs/${id}/events`, {
      headers: this.#headers(),
      dispatcher: this.#agent,
    });
    const text = await answer.body.text();
    return text.split('\n\n').flatMap((block) => {
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      return data === undefined ? [] : [JSON.parse(data)];
    });
  }

  close() {
    return this.#agent.close();
  }

  #headers(more = {}) {
    return { authorization: `Bearer ${this.#token}`, ...more };
  }

  async #send(path, method, { headers, body }) {
    const options = { method, headers: this.#headers(headers), body, dispatcher: this.#agent };
    const answer = await request(`${this.#base}${path}`, options);
    return { status: answer.statusCode, body: await answer.body.json() };
  }
}

async function* multipart(boundary, k, file, stream) {
  const head = (disposition, type = '') =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n${type}\r\n`;
  yield Buffer.from(`${head('name="k"')}${k}\r\n`);
  yield Buffer.from(head(`name="file"; filename="${file}"`, 'content-type: application/octet-stream\r\n'));
  yield* stream;
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}
