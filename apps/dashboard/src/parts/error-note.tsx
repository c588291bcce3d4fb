import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { ReactNode } from 'react';
import { jobInTheWay } from '../api/client.js';
import { useText } from '../i18n/text.js';
import { hrefOf } from '../router.js';
import { Icon } from './icon.js';

/** What was refused or went wrong, in the words of the API: what, where, what to do. */
export function ErrorNote({ error, title, children }: { error: RexError; title?: string; children?: ReactNode }) {
  const t = useText();
  const job = jobInTheWay(error);
  return (
    <div className="note note-bad" role="alert">
      <Icon name="warn" />
      <div>
        {title === undefined ? null : <strong className="note-title">{title}</strong>}
        <p className="wrap">{error.where === undefined ? error.what : `${error.where}: ${error.what}`}</p>
        {error.whatToDo === undefined ? null : <p className="wrap muted">{error.whatToDo}</p>}
        {job === undefined ? null : (
          <p>
            <a href={hrefOf(['jobs', job])}>{t('app.job', { id: job })}</a>
          </p>
        )}
        {children}
      </div>
    </div>
  );
}
