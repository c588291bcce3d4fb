import { Component, type ReactNode } from 'react';
import type { Text } from '../i18n/text.js';

interface Props {
  t: Text;
  children: ReactNode;
}

/** What breaks in a page is said in its place, instead of leaving it empty. */
export class FaultBoundary extends Component<Props, { fault?: string }> {
  override state: { fault?: string } = {};

  static getDerivedStateFromError(error: unknown): { fault: string } {
    return { fault: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }

  override render(): ReactNode {
    const { t, children } = this.props;
    const { fault } = this.state;
    if (fault === undefined) return children;
    return (
      <div role="alert">
        <h1>{t('app.broken.title')}</h1>
        <p>{t('app.broken.hint')}</p>
        <pre className="log">{fault}</pre>
        <button type="button" className="button button-primary" onClick={() => window.location.reload()}>
          {t('app.reload')}
        </button>
      </div>
    );
  }
}
