import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { errorOf } from '../api/client.js';
import { useText } from '../i18n/text.js';
import { ErrorNote } from './error-note.js';

export interface Question {
  title: string;
  text: string;
  yes: string;
  no?: string;
  danger?: boolean;
  /** The dialog closes when it has been done, and shows why when it has not. */
  onYes(): Promise<void>;
}

/** Asks before anything is changed. Escape and the first button, which has the focus, change nothing. */
export function ConfirmDialog({
  question,
  onClose,
  children,
}: {
  question: Question;
  onClose: () => void;
  children?: ReactNode;
}) {
  const t = useText();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<RexError>();

  useEffect(() => {
    const shown = dialog.current;
    if (shown?.open === false) shown.showModal();
    return () => shown?.close();
  }, []);

  const go = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await question.onYes();
      onClose();
    } catch (thrown) {
      setError(errorOf(thrown));
      setBusy(false);
    }
  };

  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-text`}
      onClose={onClose}
    >
      <h2 id={`${id}-title`}>{question.title}</h2>
      <p id={`${id}-text`}>{question.text}</p>
      {children}
      {error === undefined ? null : <ErrorNote error={error} />}
      <div className="row row-end">
        <button type="button" className="button button-plain" onClick={onClose}>
          {question.no ?? t('app.cancel')}
        </button>
        <button
          type="button"
          className={`button button-${question.danger === true ? 'danger' : 'primary'}`}
          aria-disabled={busy}
          onClick={() => void go()}
        >
          {question.yes}
        </button>
      </div>
    </dialog>
  );
}

/** A place for one question at a time. */
export function useQuestion(): [ReactNode, (question: Question) => void] {
  const [question, ask] = useState<Question>();
  const close = () => ask(undefined);
  const shown = question === undefined ? null : <ConfirmDialog question={question} onClose={close} />;
  return [shown, ask];
}
