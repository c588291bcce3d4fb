/** Durations and sizes as the config file writes them. */

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;
const SIZE = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB|KB|MB|GB|TB)?$/;
const MS_PER = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES_PER = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
} as const;

/** `"90d"`, `"5s"`, `"250ms"` → milliseconds; undefined when it is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * MS_PER[match[2] as keyof typeof MS_PER]);
}

/** `"4GiB"`, `"100 MB"`, `"512"` → bytes; undefined when it is not a size. */
export function parseSizeBytes(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * BYTES_PER[(match[2] ?? 'B') as keyof typeof BYTES_PER]);
}

/** Bytes as `du -sh` prints them: one decimal below ten, rounded up, units of 1024 (`24K`, `1.5M`, `32M`). */
export function humanSize(bytes: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return String(Math.ceil(value));
  const rounded = value < 10 ? Math.ceil(value * 10) / 10 : Math.ceil(value);
  return rounded < 10 ? `${rounded.toFixed(1)}${units[unit]}` : `${Math.ceil(rounded)}${units[unit]}`;
}
