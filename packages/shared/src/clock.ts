/** Instants in the formats of the documented answer; all take milliseconds since 1970 and an IANA time zone. */

const formatters = new Map<string, Intl.DateTimeFormat>();

function parts(atMs: number, timezone: string): Record<string, string> {
  let formatter = formatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(timezone, formatter);
  }
  return Object.fromEntries(formatter.formatToParts(atMs).map((part) => [part.type, part.value]));
}

/** `2018-05-30 04:39:52` */
export function localTime(atMs: number, timezone: string): string {
  const p = parts(atMs, timezone);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

/** `20180530_043756`, the suffix of release directories. */
export function releaseStamp(atMs: number, timezone: string): string {
  const p = parts(atMs, timezone);
  return `${p.year}${p.month}${p.day}_${p.hour}${p.minute}${p.second}`;
}
