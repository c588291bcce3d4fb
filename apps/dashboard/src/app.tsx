import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { useCallback, useEffect, useState } from 'react';
import { api, errorOf, LOGGED_OUT, statusOf } from './api/client.js';
import { useText } from './i18n/text.js';
import { DeployPage } from './pages/deploy.js';
import { DeploymentPage } from './pages/deployment.js';
import { HistoryPage } from './pages/history.js';
import { LoginPage } from './pages/login.js';
import { NamesPage } from './pages/names.js';
import { TokensPage } from './pages/tokens.js';
import { ErrorNote } from './parts/error-note.js';
import { FaultBoundary } from './parts/fault-boundary.js';
import { Frame } from './parts/frame.js';
import { Page } from './parts/page.js';
import { hrefOf, type Place, usePlace } from './router.js';
import { type Session, SessionContext } from './state/session.js';

type Login =
  | { is: 'asking' }
  | { is: 'out'; ended: boolean }
  | { is: 'in'; session: Session }
  | { is: 'failed'; error: RexError };

/** bull-board has no log-in of its own and sends people here; nobody else is sent on from here. */
const RETURN = /^\/admin\/queues(\/[\w/-]*)?$/;

export function App() {
  const t = useText();
  const place = usePlace();
  const [login, setLogin] = useState<Login>({ is: 'asking' });

  const enter = useCallback((session: Session) => {
    const next = new URLSearchParams(window.location.search).get('next');
    if (next !== null && RETURN.test(next)) window.location.assign(next);
    else {
      if (next !== null) window.history.replaceState(null, '', `/${window.location.hash}`);
      setLogin({ is: 'in', session });
    }
  }, []);

  const ask = useCallback(async () => {
    try {
      enter((await api.call('GET /session')).data);
    } catch (thrown) {
      setLogin(statusOf(thrown) === 401 ? { is: 'out', ended: false } : { is: 'failed', error: errorOf(thrown) });
    }
  }, [enter]);

  useEffect(() => void ask(), [ask]);
  useEffect(() => {
    const out = () => setLogin((before) => (before.is === 'in' ? { is: 'out', ended: true } : before));
    window.addEventListener(LOGGED_OUT, out);
    return () => window.removeEventListener(LOGGED_OUT, out);
  }, []);

  const leave = async (): Promise<void> => {
    await api.call('DELETE /session').catch(() => undefined);
    setLogin({ is: 'out', ended: false });
  };

  const session = login.is === 'in' ? login.session : undefined;
  return (
    <SessionContext value={session}>
      <Frame place={place} onLeave={() => void leave()}>
        <FaultBoundary t={t} key={place.path.join('/')}>
          {login.is === 'asking' ? <p aria-busy="true">{t('app.loading')}</p> : null}
          {login.is === 'failed' ? (
            <Page title="Rexdeploy">
              <ErrorNote error={login.error}>
                <button type="button" className="button button-plain" onClick={() => void ask()}>
                  {t('app.retry')}
                </button>
              </ErrorNote>
            </Page>
          ) : null}
          {login.is === 'out' ? <LoginPage ended={login.ended} onEnter={enter} /> : null}
          {login.is === 'in' ? <Content place={place} /> : null}
        </FaultBoundary>
      </Frame>
    </SessionContext>
  );
}

function Content({ place: { path, query } }: { place: Place }) {
  const t = useText();
  const [page = 'names', id] = path;
  if (page === 'jobs' && id !== undefined) return <DeploymentPage key={id} id={id} />;
  switch (page) {
    case 'names':
      return <NamesPage />;
    case 'deploy':
      return <DeployPage first={query.get('k') ?? ''} />;
    case 'history':
      return <HistoryPage query={query} />;
    case 'tokens':
      return <TokensPage />;
    default:
      return (
        <Page title={t('app.notfound.title')}>
          <a href={hrefOf(['names'])}>{t('app.notfound.back')}</a>
        </Page>
      );
  }
}
