import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';

/** Shorter ones would take whole words out of a text. */
const SHORTEST = 6;

/** A notifier as it may be shown: addresses of robots hold their key. */
export function placeOf({ name, url }: Pick<ResolvedNotifier, 'name' | 'url'>): string {
  return `${name} (${URL.canParse(url) ? new URL(url).host : 'address'})`;
}

/** Takes out of a text whatever of a notifier is secret: its key, and all of its address but the host. */
export function conceal(text: string, { url, secret }: Pick<ResolvedNotifier, 'url' | 'secret'>): string {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  const parts = [
    url,
    secret ?? '',
    ...(address === undefined
      ? []
      : [
          `${address.pathname}${address.search}`,
          address.password,
          ...address.searchParams.values(),
          ...address.pathname.split('/'),
        ]),
  ];
  return parts
    .filter((part) => part.length >= SHORTEST)
    .toSorted((one, other) => other.length - one.length)
    .reduce((shown, part) => shown.replaceAll(part, '…'), text);
}
