import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { type Envelope, envelopeSchema, type Leaves } from '@rexdeploy/shared/api/envelope-schema';
import { FormData, request } from 'undici';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Envelope;
}

/** One event of a stream, as it came over the wire. */
export interface StreamedEvent {
  id: string | undefined;
  type: string;
  data: Record<string, unknown>;
}

/** A client as somebody else would write it: knows the documented interface and nothing else. */
export class Client {
  readonly #base: string;
  readonly #token: string;
  constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  get token(): string {
    return this.#token;
  }

  /** The same client of another API. */
  at(base: string): Client {
    return new Client(base, this.#token);
  }

  /** `POST /rex` with a form body and the token in the address, as on the API page. */
  async rex(params: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send(`/rex?token=${this.#token}`, 'POST', {
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(params).toString(),
    });
  }

  /** Deploys and waits for the end. */
  deploy(params: Record<string, string>): Promise<Answer> {
    return this.rex({ action: 'deploy', wait: '120', ...params });
  }

  get(path: string): Promise<Answer> {
    return this.#send(path, 'GET', { headers: { authorization: `Bearer ${this.#token}` } });
  }

  post(path: string): Promise<Answer> {
    return this.#send(path, 'POST', { headers: { authorization: `Bearer ${this.#token}` } });
  }

  /** Uploads an archive. @returns the package's id and the answer */
  async upload(fields: Record<string, string>, file: string): Promise<Answer & { id: string }> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(file)) chunks.push(chunk as Buffer);
    form.set('file', new Blob(chunks), basename(file));
    const answer = await this.#send('/packages', 'POST', {
      headers: { authorization: `Bearer ${this.#token}` },
      body: form,
    });
    return { ...answer, id: String(answer.body.data.package ?? '') };
  }

  /** Reads a job's stream until the server closes it. */
  async *events(id: string, lastEventId?: string): AsyncGenerator<StreamedEvent> {
    const answer = await request(`${this.#base}/jobs/${id}/events`, {
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
    });
    let rest = '';
    for await (const chunk of answer.body) {
      const blocks = (rest + String(chunk)).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event !== undefined) yield event;
      }
    }
  }

  async #send(
    path: string,
    method: 'GET' | 'POST',
    options: { headers: Record<string, string>; body?: string | FormData },
  ): Promise<Answer> {
    const answer = await request(`${this.#base}${path}`, { method, headersTimeout: 200_000, ...options });
    const body = envelopeSchema.parse(await answer.body.json()) as Envelope;
    return { status: answer.statusCode, headers: answer.headers, body };
  }
}

function parseBlock(block: string): StreamedEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return { id: fields.get('id'), type: fields.get('event') ?? '', data: JSON.parse(data) };
}

/** A value inside an answer, e.g. `at(body, 'data', 'data', '0', 'data', '0')`. */
export function at(value: unknown, ...path: string[]): Leaves | undefined {
  let node = value;
  for (const key of path) {
    if (node === null || typeof node !== 'object') return undefined;
    node = (node as Record<string, unknown>)[key];
  }
  return node as Leaves | undefined;
}
