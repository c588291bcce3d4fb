/** Parameters as they came, before any meaning is given to them. Reading never throws: what is wrong is kept as faults. */
export interface Received {
  /** First value of each parameter. Without a prototype, so that a parameter may be called anything. */
  readonly values: Readonly<Record<string, string>>;
  /** What is wrong with the way they were written: repeated, badly encoded, not a text. */
  readonly faults: readonly string[];
}

const emptyValues = (): Record<string, string> => Object.create(null) as Record<string, string>;

export const nothingReceived: Received = { values: emptyValues(), faults: [] };

/** Collects parameters one by one; a second value of the same one is a fault. */
export class ReceivedBuilder {
  readonly values = emptyValues();
  readonly faults: string[] = [];

  add(name: string, value: string): void {
    if (!(name in this.values)) this.values[name] = value;
    else this.faults.push(`${quote(name)} is given more than once`);
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  build(): Received {
    return { values: this.values, faults: [...new Set(this.faults)] };
  }
}

/** Parameters of address and body together. Only the token may be in both. */
export function mergeReceived(query: Received, body: Received): Received {
  const merged = new ReceivedBuilder();
  for (const [name, value] of Object.entries(query.values)) merged.add(name, value);
  for (const [name, value] of Object.entries(body.values)) {
    if (name !== 'token' || !('token' in query.values)) merged.add(name, value);
  }
  for (const fault of [...query.faults, ...body.faults]) merged.fault(fault);
  return merged.build();
}

/** Was this made here, and not by somebody else's body parser? */
export const isReceived = (body: unknown): body is Received =>
  body !== null && typeof body === 'object' && 'values' in body && 'faults' in body;

/** A text as messages show it: quoted, control characters escaped, cut when long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}
