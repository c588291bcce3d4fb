import type { JobState } from '@rexdeploy/shared/journal/state';
import type { TextKey } from '../i18n/en.js';
import { useText } from '../i18n/text.js';
import { Icon, type IconName } from './icon.js';

const ICONS: Readonly<Record<JobState, IconName>> = {
  queued: 'clock',
  running: 'play',
  held: 'pause',
  succeeded: 'check',
  failed: 'cross',
  cancelled: 'stop',
};

const isJobState = (state: string): state is JobState => state in ICONS;

/** The state of a job: drawing, word and colour, so that none of them is needed to tell it. */
export function StateMark({ state }: { state: string }) {
  const t = useText();
  if (!isJobState(state)) return <span className="mark">{state}</span>;
  return (
    <span className={`mark mark-${state}`}>
      <Icon name={ICONS[state]} />
      {t(`state.${state}` satisfies TextKey)}
    </span>
  );
}
