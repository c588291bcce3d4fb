import { expect, test } from 'vitest';
import { parseSse, type SseMessage } from './sse.js';

async function messagesOf(chunks: Uint8Array[]): Promise<SseMessage[]> {
  const messages: SseMessage[] = [];
  for await (const message of parseSse(pieces(chunks))) messages.push(message);
  return messages;
}

async function* pieces(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const STREAM =
  ': heartbeat\n\nid: 1-0\nevent: log\ndata: {"a":\ndata: "发布"}\n\ndata:x\r\n\r\nid: 2-0\nevent: half\ndata: lo';
const EXPECTED = [
  { id: '1-0', event: 'log', data: '{"a":\n"发布"}' },
  { id: '', event: 'message', data: 'x' },
];

test('a stream gives its complete messages, without heartbeats', async () => {
  expect(await messagesOf([Buffer.from(STREAM)])).toEqual(EXPECTED);
});

test('the same, however it is cut: between lines, fields and bytes of a character', async () => {
  const bytes = [...Buffer.from(STREAM)];
  expect(await messagesOf(bytes.map((byte) => Uint8Array.of(byte)))).toEqual(EXPECTED);
});
