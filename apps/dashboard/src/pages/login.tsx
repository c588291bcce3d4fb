import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { type FormEvent, useState } from 'react';
import { api, errorOf } from '../api/client.js';
import { useText } from '../i18n/text.js';
import { ErrorNote } from '../parts/error-note.js';
import { Page } from '../parts/page.js';
import type { Session } from '../state/session.js';

/** Log-in with a token. It goes into a request's body and from there into a cookie; the page keeps nothing of it. */
export function LoginPage({ ended, onEnter }: { ended: boolean; onEnter: (session: Session) => void }) {
  const t = useText();
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<RexError | string | undefined>(ended ? t('login.ended') : undefined);

  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    if (token.trim() === '') return setError(t('login.empty'));
    setBusy(true);
    setError(undefined);
    try {
      onEnter((await api.call('POST /session', { body: { token: token.trim() } })).data);
    } catch (thrown) {
      setError(errorOf(thrown));
      setBusy(false);
    }
  };

  return (
    <div className="login">
      <Page title={t('login.title')}>
        <form className="card stack" onSubmit={(event) => void send(event)}>
          <label className="field">
            <span>{t('login.token')}</span>
            <input
              type="password"
              name="token"
              value={token}
              autoComplete="current-password"
              spellCheck={false}
              aria-describedby="login-hint"
              // biome-ignore lint/a11y/noAutofocus: it is all that there is to do here
              autoFocus
              onChange={({ target }) => setToken(target.value)}
            />
          </label>
          <p id="login-hint" className="muted small">
            {t('login.hint')}
          </p>
          {error === undefined ? null : typeof error === 'string' ? (
            <p className="note note-warn" role="alert">
              {error}
            </p>
          ) : (
            <ErrorNote error={error} />
          )}
          <button type="submit" className="button button-primary" aria-disabled={busy}>
            {t(busy ? 'login.busy' : 'login.submit')}
          </button>
        </form>
      </Page>
    </div>
  );
}
