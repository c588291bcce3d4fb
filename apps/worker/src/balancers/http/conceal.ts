import type { HttpRequest } from './template.js';

/** Shorter words are no secrets, and hiding them would make every message unreadable. */
const SHORTEST_SECRET = 6;
const LONGEST_SHOWN = 200;

/** Method, host and path of a request. What may hold a secret is left out: user, password and query. */
export function shownRequest({ method, url }: Pick<HttpRequest, 'method' | 'url'>): string {
  if (!URL.canParse(url)) return method;
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

/**
 * The beginning of an answer, for people. A server may repeat what was sent to it, so every word of headers, log-in,
 * query and body is hidden, except those that are `known` to be harmless.
 */
export function shownAnswer(answer: string, request: HttpRequest, known: readonly string[]): string {
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  const sent = [
    ...Object.values(request.headers),
    ...(url === undefined ? [] : [url.username, url.password, ...url.searchParams.values(), url.search]),
    request.body ?? '',
  ];
  const secrets = sent
    .flatMap((text) => [text, ...text.split(/[\s"'{}[\](),;:=&?]+/), ...decodedLogin(text)])
    .filter((word) => word.length >= SHORTEST_SECRET && !known.some((harmless) => harmless.includes(word)))
    .sort((a, b) => b.length - a.length);
  const hidden = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), answer);
  const line = hidden.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_SHOWN ? `${line.slice(0, LONGEST_SHOWN)}…` : line;
}

/** `Basic dXNlcjpwYXNz` also holds `user` and `pass`. */
function decodedLogin(header: string): string[] {
  const encoded = /^Basic\s+(\S+)$/i.exec(header)?.[1];
  return encoded === undefined ? [] : Buffer.from(encoded, 'base64').toString('utf8').split(':');
}
