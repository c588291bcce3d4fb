import { type DeploymentState, isTerminal } from '@rexdeploy/shared/journal/state';
import { useText } from '../i18n/text.js';
import { useSession, whyNot } from '../state/session.js';
import { ActionButton } from './action-button.js';
import { useQuestion } from './confirm-dialog.js';
import { controlQuestion, rollbackQuestion } from './questions.js';

/** Hold, resume, cancel, roll back; each asks first, and says why when it does not go. */
export function JobActions({ state }: { state: DeploymentState }) {
  const t = useText();
  const session = useSession();
  const [question, ask] = useQuestion();
  const { id, request } = state;
  const may = whyNot(session, t, request.name);
  const ended = isTerminal(state.state);
  const isHeld = state.state === 'held';
  const holdAsked = state.asked?.control === 'hold';
  const control = (which: 'hold' | 'resume' | 'cancel') => () => ask(controlQuestion(t, which, id, request.k));
  const changes = !request.dryRun && ['deploy', 'rollback', 'converge'].includes(request.action);
  if (!changes && ended) return null;
  return (
    <div className="row">
      {may === undefined ? null : <span className="small muted">{may}</span>}
      {ended ? null : (
        <>
          {changes && !isHeld ? (
            <ActionButton icon="pause" whyNot={may} onClick={control('hold')}>
              {t('job.hold')}
            </ActionButton>
          ) : null}
          {changes && (isHeld || holdAsked) ? (
            <ActionButton icon="play" kind="primary" whyNot={may} onClick={control('resume')}>
              {t('job.resume')}
            </ActionButton>
          ) : null}
          <ActionButton icon="stop" kind="danger" whyNot={may} onClick={control('cancel')}>
            {t('job.cancel')}
          </ActionButton>
        </>
      )}
      {changes ? (
        <ActionButton
          icon="back"
          whyNot={may ?? (ended ? undefined : t('job.notended'))}
          onClick={() => ask(rollbackQuestion(t, request.k))}
        >
          {t('job.rollback')}
        </ActionButton>
      ) : null}
      {question}
    </div>
  );
}
