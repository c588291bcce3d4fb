import type { Style } from './style.js';

/** A bar of so many columns; `share` is from 0 to 1. It is full only when all is done. */
export function bar(share: number, width: number, paint: Style['green'], style: Style): string {
  const wanted = Math.round(Math.max(0, Math.min(1, share)) * width);
  const full = share >= 1 ? width : Math.min(wanted, width - 1);
  return paint('█'.repeat(full)) + style.dim('░'.repeat(width - full));
}
