import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import { api, errorOf, rowsOf } from '../api/client.js';
import { upload } from '../api/upload.js';
import { ago, bytes } from '../format.js';
import { useText } from '../i18n/text.js';
import { usePolled } from '../state/use-polled.js';
import { ErrorNote } from './error-note.js';
import { Icon } from './icon.js';

interface Sending {
  file: string;
  sent: number;
  total: number;
}

/** Packages of a name: those that are there, and one that is dropped or chosen here. */
export function UploadBox({ k, pkg, onPick }: { k: string; pkg: string; onPick: (pkg: string) => void }) {
  const t = useText();
  const packages = usePolled(`packages ${k}`, (signal) => api.call('GET /packages', { query: { k }, signal }));
  const rows =
    packages.data === undefined ? [] : rowsOf(packages.data.data.data).filter((row) => row.kind === 'program');
  const [sending, setSending] = useState<Sending>();
  const [said, setSaid] = useState('');
  const [error, setError] = useState<RexError>();
  const [isOver, setOver] = useState(false);
  const life = useRef<AbortController>(undefined);
  useEffect(() => () => life.current?.abort(), []);
  // The newest is what a deployment without a word would take.
  const [newest] = rows;
  useEffect(() => {
    if (pkg === '' && newest !== undefined) onPick(newest.package);
  }, [pkg, newest, onPick]);

  const send = async (file: File | undefined): Promise<void> => {
    if (file === undefined || sending !== undefined) return;
    const own = new AbortController();
    life.current = own;
    setError(undefined);
    setSaid('');
    setSending({ file: file.name, sent: 0, total: file.size });
    try {
      const { data } = await upload(
        { k },
        file,
        (sent, total) => setSending({ file: file.name, sent, total }),
        own.signal,
      );
      setSaid(t('deploy.uploaded', { file: file.name }));
      onPick(data.package);
      packages.reload();
    } catch (thrown) {
      if (own.signal.aborted) setSaid(t('deploy.upload.stopped'));
      else setError(errorOf(thrown));
    }
    setSending(undefined);
  };

  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void send(event.dataTransfer.files[0]);
  };

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is the way for pointers; the button inside is for all */}
      <div
        className={`drop ${isOver ? 'drop-over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Icon name="up" />
        <span>{t('deploy.drop')}</span>
        <label className="button button-plain">
          <input
            type="file"
            className="hidden"
            accept=".tar,.tgz,.gz,.zip"
            onChange={({ target }) => {
              void send(target.files?.[0]);
              target.value = '';
            }}
          />
          {t('deploy.choose')}
        </label>
      </div>
      {sending === undefined ? null : (
        <Progress sending={sending} onStop={() => life.current?.abort(new Error('stopped'))} />
      )}
      <p className="small" role="status">
        {said}
      </p>
      {error === undefined ? null : <ErrorNote error={error} />}
      <label className="field">
        <span>{t('deploy.upload.package')}</span>
        <select value={pkg} onChange={({ target }) => onPick(target.value)}>
          {rows.length === 0 ? <option value="">{t('deploy.upload.none')}</option> : null}
          {rows.map((row) => (
            <option key={row.package} value={row.package}>
              {t('deploy.upload.row', {
                age: ago(Date.now() - Date.parse(row.created_at), t),
                files: row.files,
                size: bytes(Number(row.size)),
                by: row.by,
              })}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

function Progress({ sending: { file, sent, total }, onStop }: { sending: Sending; onStop: () => void }) {
  const t = useText();
  const isSent = sent >= total;
  return (
    <div className="transfer">
      <span className="wrap">{t('deploy.uploading', { file })}</span>
      <progress aria-label={t('deploy.uploading', { file })} max={total} {...(isSent ? {} : { value: sent })} />
      <span className="small">
        {isSent ? t('deploy.unpacking') : t('job.transfer', { bytes: bytes(sent), total: bytes(total) })}
      </span>
      <button type="button" className="button button-plain" onClick={onStop}>
        {t('deploy.upload.stop')}
      </button>
    </div>
  );
}
