import { useEffect, useState } from 'react';

/**
 * The pages' addresses lie behind the `#`: `#/jobs/dep-…?x=1`. What lies before it belongs to the API, whose routes have
 * the same words.
 */
export interface Place {
  /** Without slashes at its ends: `jobs`, `dep-…`. */
  path: readonly string[];
  query: URLSearchParams;
}

export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return {
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(decode),
    query: new URLSearchParams(query),
  };
}

/** An address somebody mistyped is no reason to break. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `#/jobs/dep-…`, for links. */
export function hrefOf(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== '');
  const rest = filled.length === 0 ? '' : `?${new URLSearchParams(filled)}`;
  return `#/${path.map(encodeURIComponent).join('/')}${rest}`;
}

export function goTo(href: string): void {
  window.location.hash = href;
}

/** Changes the address without a step in the browser's history: for filters. */
export function replacePlace(href: string): void {
  window.history.replaceState(null, '', href);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => parsePlace(window.location.hash));
  useEffect(() => {
    const look = () => setPlace(parsePlace(window.location.hash));
    window.addEventListener('hashchange', look);
    return () => window.removeEventListener('hashchange', look);
  }, []);
  return place;
}
