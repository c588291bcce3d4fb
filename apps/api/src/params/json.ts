import { quote, type Received, ReceivedBuilder } from './received.js';

/** Parses a JSON body: one flat object of texts and whole numbers; numbers become text, as in a form. */
export function parseJsonBody(text: string): Received {
  const received = new ReceivedBuilder();
  if (text.trim() === '') return received.build();
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    received.fault(`the body is not JSON: ${error instanceof Error ? error.message : 'malformed'}`);
    return received.build();
  }
  if (document === null || typeof document !== 'object' || Array.isArray(document)) {
    received.fault(`the body is ${kindOf(document)}: expected a JSON object of parameters`);
    return received.build();
  }
  for (const [name, value] of Object.entries(document)) {
    if (typeof value === 'string') received.add(name, value);
    else if (Number.isSafeInteger(value)) received.add(name, String(value));
    else received.fault(`${name} is ${kindOf(value)}: expected a text or a whole number`);
  }
  if (received.faults.length === 0) for (const name of repeatedKeys(text)) received.add(name, '');
  return received.build();
}

/** JSON.parse keeps the last of several equal keys and says nothing. The text is known to be a flat object here. */
function repeatedKeys(text: string): string[] {
  const keys = [...text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?/g)].flatMap(([, key = '', colon]) =>
    colon === undefined ? [] : [String(JSON.parse(key))],
  );
  return keys.filter((key, index) => keys.indexOf(key) !== index);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return `the text ${quote(value)}`;
  return String(value);
}
