import type { Text } from './i18n/text.js';

/** Figures as people read them. */

/** `12.3 s`, `4 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number, t: Text): string {
  if (ms < 1000) return t('time.ms', { n: Math.max(0, Math.round(ms)) });
  const seconds = ms / 1000;
  if (seconds < 60) return t('time.s', { n: seconds < 10 ? seconds.toFixed(1) : Math.floor(seconds) });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t('time.ms2', { m: minutes, s: Math.floor(seconds) % 60 });
  return age(ms, t);
}

/** The same without what does not matter any more: `5 min`, `3 d`. */
export function age(ms: number, t: Text): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return t('time.s', { n: Math.max(0, Math.floor(ms / 1000)) });
  if (minutes < 60) return t('time.m', { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t('time.h', { h: hours, m: minutes % 60 });
  const days = Math.floor(hours / 24);
  return days < 14 ? t('time.d2', { d: days, h: hours % 24 }) : t('time.d', { d: days });
}

/** How long ago: `5 min ago`. */
export const ago = (ms: number, t: Text): string => (ms < 10_000 ? t('time.now') : t('time.ago', { age: age(ms, t) }));

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 B`, `1.5 MiB`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `03:12:44`, in the time of the one who looks. */
export function clock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `2026-03-02 03:12`. */
export function moment(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

const LABEL = /_(\d{8}_\d{6}(?:_before)?)$/;

/** The part of a release's path that tells releases apart: its stamp, or else its last name. */
export function releaseName(path: string): string {
  return LABEL.exec(path)?.[1] ?? path.split('/').findLast((part) => part !== '') ?? path;
}
