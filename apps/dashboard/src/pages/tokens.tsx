import type { TokenRow } from '@rexdeploy/shared/api/routes/tokens';
import { useState } from 'react';
import { api, noteRefusal, rowsOf, textOf } from '../api/client.js';
import { useText } from '../i18n/text.js';
import { ActionButton } from '../parts/action-button.js';
import { useQuestion } from '../parts/confirm-dialog.js';
import { CopyButton } from '../parts/copy-button.js';
import { Icon } from '../parts/icon.js';
import { MomentText } from '../parts/moment-text.js';
import { Page } from '../parts/page.js';
import { StaleNote } from '../parts/stale-note.js';
import { TokenForm } from '../parts/token-form.js';
import { useSession } from '../state/session.js';
import { usePolled } from '../state/use-polled.js';

/** The tokens: who may do what. For administrators; others are told so. */
export function TokensPage() {
  const t = useText();
  const { role } = useSession();
  return (
    <Page title={t('tokens.title')}>
      {role === 'admin' ? (
        <Tokens />
      ) : (
        <p className="note note-warn">
          <Icon name="lock" />
          {t('may.admin')}
        </p>
      )}
    </Page>
  );
}

function Tokens() {
  const t = useText();
  const session = useSession();
  const tokens = usePolled('tokens', (signal) => api.call('GET /tokens', { signal }));
  const [made, setMade] = useState<{ name: string; token: string }>();
  const [question, ask] = useQuestion();
  const rows = tokens.data === undefined ? [] : rowsOf(tokens.data.data.data);
  const revoke = ({ id, name }: TokenRow): void => {
    const isOwn = name === session.name;
    ask({
      title: t('confirm.revoke.title', { name }),
      text: isOwn ? `${t('confirm.revoke.text')} ${t('confirm.revoke.self')}` : t('confirm.revoke.text'),
      yes: t('confirm.revoke.yes'),
      danger: true,
      onYes: async () => {
        await api.call('DELETE /tokens/:id', { params: { id } });
        if (isOwn) noteRefusal(401);
        else tokens.reload();
      },
    });
  };
  return (
    <>
      <StaleNote polled={tokens} />
      {made === undefined ? null : (
        <div className="note note-good" role="status">
          <Icon name="check" />
          <div>
            <strong className="note-title">{t('tokens.made', { name: made.name })}</strong>
            <p className="mono wrap secret">{made.token}</p>
            <div className="row">
              <CopyButton text={made.token} />
              <button type="button" className="button button-plain" onClick={() => setMade(undefined)}>
                {t('tokens.saved')}
              </button>
            </div>
          </div>
        </div>
      )}
      {rows.length === 0 ? null : <TokenTable rows={rows} own={session.name} onRevoke={revoke} />}
      <TokenForm
        onMade={(token) => {
          setMade(token);
          tokens.reload();
        }}
      />
      {question}
    </>
  );
}

interface TableProps {
  rows: readonly TokenRow[];
  own: string;
  onRevoke: (row: TokenRow) => void;
}

function TokenTable({ rows, own, onRevoke }: TableProps) {
  const t = useText();
  const columns = ['name', 'role', 'names', 'token', 'created', 'expires', 'used'] as const;
  return (
    <table className="table card" aria-label={t('tokens.title')}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {t(`tokens.${column}`)}
            </th>
          ))}
          <th scope="col">
            <span className="hidden">{t('tokens.revoke')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <th scope="row" className="mono" data-label={t('tokens.name')}>
              {row.name} {row.name === own ? <span className="muted small">{t('tokens.you')}</span> : null}
            </th>
            <td data-label={t('tokens.role')}>{t(`role.${row.role}`)}</td>
            <td className="mono wrap" data-label={t('tokens.names')}>
              {row.names}
            </td>
            <td className="mono small" data-label={t('tokens.token')}>
              {row.token}
            </td>
            <td data-label={t('tokens.created')}>
              <MomentText at={row.created_at} />
            </td>
            <td data-label={t('tokens.expires')}>
              <Expiry at={textOf(row.expires_at)} />
            </td>
            <td data-label={t('tokens.used')}>
              {textOf(row.last_used_at) === undefined ? (
                <span className="muted">{t('tokens.never')}</span>
              ) : (
                <MomentText at={textOf(row.last_used_at) ?? ''} />
              )}
            </td>
            <td>
              <ActionButton
                kind="danger"
                label={t('tokens.revoke.which', { name: row.name })}
                onClick={() => onRevoke(row)}
              >
                {t('tokens.revoke')}
              </ActionButton>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Expiry({ at }: { at: string | undefined }) {
  const t = useText();
  if (at === undefined) return <span className="muted">{t('tokens.never')}</span>;
  const isOver = Date.parse(at) <= Date.now();
  return (
    <>
      <MomentText at={at} /> {isOver ? <span className="warning">{t('tokens.expired')}</span> : null}
    </>
  );
}
