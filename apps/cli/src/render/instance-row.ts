import {
  type DeploymentState,
  type InstanceState,
  isDone,
  isTerminal,
  type StepState,
} from '@rexdeploy/shared/journal/state';
import { humanSize } from '@rexdeploy/shared/units';
import type { Progress } from './progress.js';

export type Tone = 'waiting' | 'moving' | 'good' | 'bad' | 'back';

/** How one instance stands, as a row of the board shows it. */
export interface InstanceRow {
  instance: string;
  /** From 0 to 1. */
  share: number;
  tone: Tone;
  text: string;
  /** Time since its first step, until its last one ended; undefined before. */
  tookMs: number | undefined;
}

/** Shares of an instance's bar; a step of another name moves it by nothing. */
const WEIGHTS: Readonly<Record<string, number>> = {
  stage: 40,
  look: 40,
  guard: 3,
  drain: 12,
  switch: 20,
  verify: 20,
  restore: 3,
  record: 2,
};
const WHOLE = 100;

/** @param nowMs until when what still goes on has taken its time */
export function instanceRow(progress: Progress, key: string, nowMs: number): InstanceRow {
  const { state } = progress;
  const instance = state?.instances[key];
  const row = { instance: key, share: 0, tone: 'waiting' as const, text: 'waiting', tookMs: undefined };
  if (state === undefined) return row;
  const looked = lookedAt(state, key);
  if (looked !== undefined) return { ...row, ...looked };
  if (instance === undefined) return isTerminal(state.state) ? { ...row, text: 'not touched' } : row;
  const tookMs = timeTaken(instance, nowMs);
  const share = shareOf(instance);
  return { ...row, share, tookMs, ...standing(progress, state, instance) };
}

/** What a dry run or a check found out about it. */
function lookedAt(state: DeploymentState, key: string): Pick<InstanceRow, 'share' | 'tone' | 'text'> | undefined {
  const difference = state.differences[key];
  if (difference !== undefined) {
    const { added, changed, removed } = difference.program;
    return { share: 1, tone: 'good', text: `${added} new, ${changed} changed, ${removed} gone` };
  }
  const findings = state.checks[key];
  if (findings === undefined) return undefined;
  const bad = findings.filter(({ ok }) => !ok);
  if (bad.length === 0) return { share: 1, tone: 'good', text: `${findings.length} things looked at, all fine` };
  return { share: 1, tone: 'bad', text: bad.map(({ check, what }) => `${check}: ${what}`).join('; ') };
}

function standing(
  progress: Progress,
  state: DeploymentState,
  instance: InstanceState,
): Pick<InstanceRow, 'share' | 'tone' | 'text'> | Pick<InstanceRow, 'tone' | 'text'> {
  if (instance.left !== undefined) return { tone: 'bad', text: `left as it is: ${instance.left.why}` };
  if (instance.unchanged === true) return { share: 1, tone: 'good', text: 'runs it already' };
  const undoing = instance.steps.find(({ status }) => status === 'undoing');
  if (undoing !== undefined) return { tone: 'back', text: `undoing ${undoing.step}` };
  const failed = instance.steps.findLast(({ error }) => error !== undefined);
  const undone = instance.steps.some(({ status }) => status === 'undone');
  if (failed?.error !== undefined) {
    const what = `${failed.step} failed: ${failed.error.what}`;
    return { tone: 'bad', text: undone ? `brought back; ${what}` : what };
  }
  if (instance.takenBack === true || (undone && !isRunning(instance))) return { tone: 'back', text: 'brought back' };
  if (isDone(instance)) return { share: 1, tone: 'good', text: 'done' };
  const step = instance.steps.findLast(({ status }) => status === 'running');
  if (step !== undefined && !isTerminal(state.state)) return { tone: 'moving', text: moving(progress, instance, step) };
  if (isTerminal(state.state)) return { tone: 'waiting', text: 'not finished' };
  const last = instance.steps.at(-1);
  if (last?.step === 'stage' || last?.step === 'look') return { tone: 'waiting', text: 'staged, waits for its turn' };
  return { tone: 'moving', text: last === undefined ? 'waiting' : `${last.step} done` };
}

const isRunning = ({ steps }: InstanceState): boolean => steps.some(({ status }) => status === 'running');

function moving(progress: Progress, instance: InstanceState, step: StepState): string {
  const attempt = step.attempts > 1 ? ` (attempt ${step.attempts})` : '';
  const mark = progress.markOf(instance.instance, step.step);
  const name = mark === undefined ? step.step : `${step.step}: ${mark}`;
  if (step.step !== 'stage' || instance.bytesTotal === 0) return `${name}${attempt}`;
  const rate = progress.rateOf(instance.instance);
  const speed = rate === undefined || instance.bytes >= instance.bytesTotal ? '' : `, ${humanSize(rate)}/s`;
  return `${name}${attempt} ${humanSize(instance.bytes)} of ${humanSize(instance.bytesTotal)}${speed}`;
}

function shareOf(instance: InstanceState): number {
  const weights = instance.steps.map((step) => {
    const weight = WEIGHTS[step.step] ?? 0;
    if (step.status === 'done') return weight;
    if (step.status !== 'running' || step.step !== 'stage' || instance.bytesTotal === 0) return 0;
    return (weight * instance.bytes) / instance.bytesTotal;
  });
  return weights.reduce((sum, weight) => sum + weight, 0) / WHOLE;
}

function timeTaken({ steps }: InstanceState, nowMs: number): number | undefined {
  if (steps.length === 0) return undefined;
  const begin = Math.min(...steps.map(({ startedMs }) => startedMs));
  // A step that is being undone goes on, though its own end is known.
  const end = Math.max(...steps.map(({ endedMs, status }) => (status === 'undoing' ? nowMs : (endedMs ?? nowMs))));
  return end - begin;
}
