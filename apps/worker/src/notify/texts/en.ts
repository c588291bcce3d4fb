import { localTime } from '@rexdeploy/shared/clock';
import type { LeftInstance, Notice } from '../notice.js';
import type { Texts } from './texts.js';

/** English. */

const STAGE = { started: '0', held: '2', batch: '6', failed: '0000', finished: '0000' } as const;
const ACTION: Readonly<Record<string, string>> = { rollback: 'rollback', converge: 'converge', sweep: 'giving back' };
const actionOf = ({ action }: Notice): string => ACTION[action] ?? 'deployment';

export const en: Texts = {
  subject: ({ type }) => `Gray release - rolling deployment(${STAGE[type]})`,
  lines: (notice, timezone) => [sentence(notice, timezone), ...details(notice), `Job: ${notice.url}`],
};

function sentence(notice: Notice, timezone: string): string {
  const { k, by, batch, error } = notice;
  const time = localTime(Date.parse(notice.at), timezone);
  const action = actionOf(notice);
  const keys = batch?.instances.join(' ') ?? '';
  const place = batch === undefined ? '' : `batch ${batch.number} of ${batch.of}`;
  switch (notice.type) {
    case 'started':
      return `${action} of ${k} started at ${time} by ${by}`;
    case 'batch':
      return `(${keys}) ${action} done and back in rotation at ${time}, ${place}`;
    case 'held':
      return `${action} of ${k} is held after ${place}: resume or cancel it`;
    case 'failed':
      return `${action} of ${k} FAILED: ${error?.what ?? ''}`;
    case 'finished':
      if (notice.state === 'cancelled') return `${action} of ${k} was cancelled: ${error?.what ?? ''}`;
      return `${action} of ${k} finished`;
  }
}

function details({ error, rollback, left }: Notice): string[] {
  const failed = left.filter(({ kept }) => !kept);
  const kept = left.filter((each) => each.kept);
  return [
    ...(error?.where === undefined ? [] : [`Where: ${error.where}`]),
    ...(error?.whatToDo === undefined ? [] : [`What to do: ${error.whatToDo}`]),
    ...(rollback === 'done' ? ['Brought back to the former release and weight'] : []),
    ...(failed.length > 0 ? ['NOT brought back, act now:', ...failed.map(standing)] : []),
    ...(kept.length > 0 ? ['Left as it is, because on_failure is halt:', ...kept.map(standing)] : []),
  ];
}

function standing({ instance, why, linked, rotation, running }: LeftInstance): string {
  const runs = running === undefined ? 'not known' : running ? 'yes' : 'no';
  return `- ${instance}: linked to ${linked ?? 'not known'}; weight ${rotation ?? 'not known'}; running ${runs}; why: ${why}`;
}
