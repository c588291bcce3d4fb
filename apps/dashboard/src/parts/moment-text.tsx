import { moment } from '../format.js';

/** A point in time in the zone of the one who looks; the exact one in words for machines and pointers. */
export function MomentText({ at }: { at: string }) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={at}>
      {Number.isNaN(ms) ? at : moment(ms)}
    </time>
  );
}
