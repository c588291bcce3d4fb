import { type DeploymentState, isTerminal, type StepState } from '@rexdeploy/shared/journal/state';
import { bytes, duration } from '../format.js';
import { useText } from '../i18n/text.js';
import { type Lane, type LaneBatch, type LaneStatus, lanesOf } from '../journal/lanes.js';
import { useNow } from '../state/use-now.js';
import { Icon, type IconName } from './icon.js';

const LANE_ICONS: Readonly<Record<LaneStatus, IconName>> = {
  waiting: 'dash',
  ready: 'clock',
  running: 'play',
  done: 'check',
  unchanged: 'check',
  back: 'back',
  failed: 'cross',
  left: 'warn',
};
/** A step that failed shows it, also when it was undone since. */
type StepLook = StepState['status'] | 'faulty';
const lookOf = ({ status, error }: StepState): StepLook =>
  status === 'undone' && error !== undefined ? 'faulty' : status;

const STEP_ICONS: Readonly<Record<StepLook, IconName>> = {
  running: 'play',
  done: 'check',
  failed: 'cross',
  faulty: 'cross',
  undoing: 'back',
  undone: 'back',
  'undo-failed': 'warn',
};

/** Batches and instances as lanes on one time line. */
export function Lanes({ state, rateOf }: { state: DeploymentState; rateOf: (instance: string) => number | undefined }) {
  const t = useText();
  const now = useNow(250, state.state === 'running');
  return (
    <section aria-labelledby="lanes">
      <h2 id="lanes">{t('job.timeline')}</h2>
      {lanesOf(state, state.state === 'running' ? now : state.lastMs).map((batch) => (
        <Batch key={batch.number} batch={batch} state={state} rateOf={rateOf} now={now} />
      ))}
    </section>
  );
}

interface BatchProps {
  batch: LaneBatch;
  state: DeploymentState;
  rateOf: (instance: string) => number | undefined;
  now: number;
}

function Batch({ batch: { batch, number, lanes }, state, rateOf, now }: BatchProps) {
  const t = useText();
  const { status, startedMs, endedMs } = batch;
  const end = endedMs ?? (isTerminal(state.state) ? state.lastMs : now);
  return (
    <div className={`card batch batch-${status}`}>
      <h3>
        {t('job.batch', { n: number })}{' '}
        <span className="muted">
          {t(status === 'waiting' && isTerminal(state.state) ? 'job.batch.untouched' : `job.batch.${status}`)}
        </span>
        {startedMs === undefined ? null : <span className="took">{duration(end - startedMs, t)}</span>}
      </h3>
      {lanes.map((lane) => (
        <LaneView
          key={lane.instance}
          lane={lane}
          rate={rateOf(lane.instance)}
          now={now}
          ended={isTerminal(state.state)}
        />
      ))}
    </div>
  );
}

function LaneView({ lane, rate, now, ended }: { lane: Lane; rate: number | undefined; now: number; ended: boolean }) {
  const t = useText();
  const { instance, host, status, state, bars, out } = lane;
  const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;
  return (
    <div className="lane">
      <div className="lane-head">
        <b className="mono">{instance}</b> <span className="mono muted small">{host}</span>
        <span className={`mark mark-lane-${status}`}>
          <Icon name={LANE_ICONS[status]} />
          {status === 'left'
            ? t('job.lane.left', { why: state?.left?.why ?? '' })
            : status === 'running'
              ? t('state.running')
              : t(`job.lane.${status}`)}
        </span>
        {out === undefined ? null : (
          <span className={`small ${out.open && !ended ? 'warning' : 'muted'}`}>
            {t('job.lane.out', { time: duration(out.ms, t) })}
          </span>
        )}
      </div>
      <Transfer lane={lane} rate={ended ? undefined : rate} />
      <div className="track" aria-hidden="true">
        {bars.map(({ step, from, to }) => (
          <span
            key={step.step}
            className={`bar bar-${lookOf(step)}`}
            style={{ left: percent(from), width: percent(to - from) }}
            title={`${step.step}: ${tookOf(step, now, t)}`}
          />
        ))}
        {out === undefined ? null : (
          <span className="out" style={{ left: percent(out.from), width: percent(out.to - out.from) }} />
        )}
      </div>
      {(state?.steps.length ?? 0) === 0 ? null : (
        <ol className="steps">
          {state?.steps.map((step) => (
            <li key={step.step} className={`step step-${lookOf(step)}`}>
              <Icon name={STEP_ICONS[lookOf(step)]} />
              <span>{step.step}</span>
              <span className="took">{tookOf(step, now, t)}</span>
              {step.status === 'done' ? (
                <span className="hidden">{t('job.step.done')}</span>
              ) : (
                <span className="step-status">{t(`job.step.${lookOf(step)}`)}</span>
              )}
              {step.attempts > 1 ? <span className="warning">{t('job.attempts', { n: step.attempts })}</span> : null}
              {step.error === undefined ? null : <span className="step-error wrap">{step.error.what}</span>}
              {step.undoError === undefined ? null : <span className="step-error wrap">{step.undoError.what}</span>}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

const tookOf = (step: StepState, now: number, t: ReturnType<typeof useText>): string =>
  duration(Math.max(0, (step.endedMs ?? now) - step.startedMs), t);

/** Bytes, while there are any to come and afterwards as a figure. */
function Transfer({ lane: { instance, state }, rate }: { lane: Lane; rate: number | undefined }) {
  const t = useText();
  if (state === undefined || state.bytesTotal === 0) return null;
  const isUnderWay = state.bytes < state.bytesTotal;
  return (
    <div className="transfer small">
      {isUnderWay ? <progress aria-label={instance} max={state.bytesTotal} value={state.bytes} /> : null}
      <span>{t('job.transfer', { bytes: bytes(state.bytes), total: bytes(state.bytesTotal) })}</span>
      {isUnderWay && rate !== undefined ? <span>{t('job.rate', { rate: bytes(rate) })}</span> : null}
    </div>
  );
}
