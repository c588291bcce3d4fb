import type { HttpRequestSection } from '@rexdeploy/shared/config/balancer';

/** What `{instance}`, `{host}`, `{port}` and `{weight}` stand for; undefined where it is not known. */
export interface TemplateFacts {
  instance: string;
  host: string;
  port: string | undefined;
  weight: string | undefined;
}

/** A request with everything filled in. */
export interface HttpRequest {
  method: HttpRequestSection['method'];
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}

const PLACE = /\{(instance|host|port|weight)\}/g;

/** Fills a request in. Other braces, such as those of JSON, stay. @throws MissingFact */
export function fillRequest(section: HttpRequestSection, facts: TemplateFacts): HttpRequest {
  const plain = (text: string): string => fill(text, facts, (value) => value);
  return {
    method: section.method,
    url: fill(section.url, facts, inUrl),
    headers: Object.fromEntries(Object.entries(section.headers).map(([name, value]) => [name, plain(value)])),
    body: section.body === '' ? undefined : plain(section.body),
  };
}

/** A template names what is not known. */
export class MissingFact extends Error {
  readonly fact: string;
  constructor(fact: string) {
    super(`{${fact}} is not known`);
    this.fact = fact;
  }
}

function fill(text: string, facts: TemplateFacts, encode: (value: string) => string): string {
  return text.replaceAll(PLACE, (_, fact: keyof TemplateFacts) => {
    const value = facts[fact];
    if (value === undefined) throw new MissingFact(fact);
    return encode(value);
  });
}

/** An IPv6 address in an address stands in brackets; everything else must not end the part it stands in. */
const inUrl = (value: string): string => (value.includes(':') ? `[${value}]` : encodeURIComponent(value));
