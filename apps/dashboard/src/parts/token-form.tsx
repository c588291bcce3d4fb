import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { type Role, roleSchema } from '@rexdeploy/shared/token-scope';
import { type FormEvent, useState } from 'react';
import { api, errorOf } from '../api/client.js';
import { useText } from '../i18n/text.js';
import { ErrorNote } from './error-note.js';

const EMPTY = { name: '', role: 'deployer' as Role, names: '*', expires: '90d' };

/** Makes a token. What is wrong with it is said by the API, as everywhere. */
export function TokenForm({ onMade }: { onMade: (token: { name: string; token: string }) => void }) {
  const t = useText();
  const [form, setForm] = useState(EMPTY);
  const [error, setError] = useState<RexError>();
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<typeof EMPTY>) => setForm((before) => ({ ...before, ...part }));

  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const { data } = await api.call('POST /tokens', { body: form });
      setForm(EMPTY);
      onMade({ name: data.name, token: data.token });
    } catch (thrown) {
      setError(errorOf(thrown));
    }
    setBusy(false);
  };

  return (
    <section aria-labelledby="new-token">
      <h2 id="new-token">{t('tokens.new')}</h2>
      <form className="card filters filters-wide" onSubmit={(event) => void send(event)}>
        <label className="field">
          <span>{t('tokens.name')}</span>
          <input
            required
            value={form.name}
            spellCheck={false}
            autoComplete="off"
            onChange={({ target }) => change({ name: target.value })}
          />
        </label>
        <label className="field">
          <span>{t('tokens.role')}</span>
          <select value={form.role} onChange={({ target }) => change({ role: roleSchema.parse(target.value) })}>
            {roleSchema.options.map((role) => (
              <option key={role} value={role}>
                {t(`tokens.role.${role}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>{t('tokens.names')}</span>
          <input
            value={form.names}
            className="mono"
            spellCheck={false}
            aria-describedby="names-hint"
            onChange={({ target }) => change({ names: target.value })}
          />
          <span id="names-hint" className="muted small">
            {t('tokens.names.hint')}
          </span>
        </label>
        <label className="field">
          <span>{t('tokens.lifetime')}</span>
          <input
            value={form.expires}
            className="mono"
            spellCheck={false}
            aria-describedby="life-hint"
            onChange={({ target }) => change({ expires: target.value })}
          />
          <span id="life-hint" className="muted small">
            {t('tokens.lifetime.hint')}
          </span>
        </label>
        <button type="submit" className="button button-primary" aria-disabled={busy}>
          {t('tokens.make')}
        </button>
        {error === undefined ? null : <ErrorNote error={error} />}
      </form>
    </section>
  );
}
