/** One message of an event stream (HTML Standard, "Server-sent events"). */
export interface SseMessage {
  /** Place to go on from after a break; empty when the server gave none. */
  id: string;
  event: string;
  data: string;
}

/** The messages of a stream, whatever pieces it arrives in. Comments (heartbeats) and half messages are dropped. */
export async function* parseSse(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SseMessage> {
  // One decoder for all: a character may be split between two pieces.
  const decoder = new TextDecoder();
  let rest = '';
  let lines: string[] = [];
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const complete = rest.split('\n');
    rest = complete.pop() ?? '';
    for (const line of complete) {
      if (line.replace(/\r$/, '') !== '') lines.push(line.replace(/\r$/, ''));
      else {
        const message = toMessage(lines);
        lines = [];
        if (message !== undefined) yield message;
      }
    }
  }
}

function toMessage(lines: readonly string[]): SseMessage | undefined {
  const values = (field: string): string[] =>
    lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).replace(/^ /, ''));
  const data = values('data');
  if (data.length === 0) return undefined;
  return { id: values('id').at(-1) ?? '', event: values('event').at(-1) ?? 'message', data: data.join('\n') };
}
