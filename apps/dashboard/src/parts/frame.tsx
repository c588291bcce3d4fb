import { mayDeploy } from '@rexdeploy/shared/token-scope';
import { type ReactNode, use } from 'react';
import { useTexts } from '../i18n/text.js';
import { hrefOf, type Place } from '../router.js';
import { SessionContext } from '../state/session.js';
import { useTheme } from '../state/theme.js';

const PAGES = ['names', 'deploy', 'history', 'tokens'] as const;

/** What is around every page: where one is, where one can go, who one is. */
export function Frame({ place, onLeave, children }: { place: Place; onLeave: () => void; children: ReactNode }) {
  const { t, language, setLanguage } = useTexts();
  const [theme, nextTheme] = useTheme();
  const session = use(SessionContext);
  const current = place.path[0] === 'jobs' ? 'history' : (place.path[0] ?? 'names');
  return (
    <>
      {/* A button, because the address behind the # is the page's. */}
      <button
        type="button"
        className="skip button"
        onClick={() => document.querySelector<HTMLElement>('#content')?.focus()}
      >
        {t('app.skip')}
      </button>
      <header className="top">
        <a className="brand" href={hrefOf(['names'])}>
          <img src="/favicon.svg" alt="" width="22" height="22" />
          Rexdeploy
        </a>
        {session === undefined ? null : (
          <span className="environment" title={session.desc}>
            {session.environment}
          </span>
        )}
        {session === undefined ? null : (
          <nav className="pages" aria-label={t('nav.label')}>
            {PAGES.map((page) => (
              <a key={page} href={hrefOf([page])} aria-current={page === current ? 'page' : undefined}>
                {t(`nav.${page}`)}
              </a>
            ))}
            {mayDeploy(session.role) ? <a href="/admin/queues">{t('nav.queue')}</a> : null}
          </nav>
        )}
        <div className="top-end">
          {session === undefined ? null : (
            <span
              className="who"
              title={t('nav.who', { name: session.name, names: session.names, role: t(`role.${session.role}`) })}
            >
              {session.name} <span className="muted">{t(`role.${session.role}`)}</span>
            </span>
          )}
          <button type="button" className="button button-quiet" onClick={nextTheme}>
            {t('nav.theme', { theme: t(`nav.theme.${theme}`) })}
          </button>
          <button
            type="button"
            className="button button-quiet"
            lang={language === 'en' ? 'zh-CN' : 'en'}
            aria-label={t('nav.language.label')}
            onClick={() => setLanguage(language === 'en' ? 'zh' : 'en')}
          >
            {t('nav.language')}
          </button>
          {session === undefined ? null : (
            <button type="button" className="button button-quiet" onClick={onLeave}>
              {t('nav.logout')}
            </button>
          )}
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
