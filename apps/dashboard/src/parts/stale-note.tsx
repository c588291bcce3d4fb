import { UnreachableError } from '@rexdeploy/shared/errors/client-errors';
import { clock } from '../format.js';
import { useText } from '../i18n/text.js';
import type { Polled } from '../state/use-polled.js';
import { ErrorNote } from './error-note.js';

/** Says when what is shown is no longer as fresh as it looks. */
export function StaleNote({ polled }: { polled: Polled<unknown> }) {
  const t = useText();
  const { error, data, atMs, reload } = polled;
  if (error === undefined) return null;
  const old = data !== undefined && error instanceof UnreachableError;
  return (
    <ErrorNote error={error} {...(old ? { title: t('app.unreachable', { time: clock(atMs) }) } : {})}>
      <button type="button" className="button button-plain" onClick={reload}>
        {t('app.retry')}
      </button>
    </ErrorNote>
  );
}
