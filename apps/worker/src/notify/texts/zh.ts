import { localTime } from '@rexdeploy/shared/clock';
import type { LeftInstance, Notice } from '../notice.js';
import type { Texts } from './texts.js';

/** Chinese; subjects and the sentences of a roll-out that goes well are those of the documented service. */

const STAGE = { started: '0', held: '2', batch: '6', failed: '0000', finished: '0000' } as const;
const ACTION: Readonly<Record<string, string>> = { rollback: '回滚', converge: '统一版本', sweep: '恢复节点' };
const actionOf = ({ action }: Notice): string => ACTION[action] ?? '发布';

export const zh: Texts = {
  subject: ({ type }) => `灰度发布-滚动发布(${STAGE[type]})`,
  lines: (notice, timezone) => [sentence(notice, timezone), ...details(notice), `任务: ${notice.url}`],
};

function sentence(notice: Notice, timezone: string): string {
  const { k, by, batch, error } = notice;
  const time = localTime(Date.parse(notice.at), timezone);
  const action = actionOf(notice);
  const keys = batch?.instances.join(' ') ?? '';
  const place = batch === undefined ? '' : `第 ${batch.number}/${batch.of} 批`;
  switch (notice.type) {
    case 'started':
      return action === '发布'
        ? `开始时间: ${time} 发布系统: ${k} (${by})`
        : `开始时间: ${time} ${action}系统: ${k} (${by})`;
    case 'batch':
      return `结束时间:${time} (${keys}) 添加节点成功,结束本次节点${action} (${place})`;
    case 'held':
      return `(${k}) ${place}完成后暂停,等待继续或取消`;
    case 'failed':
      return `(${k}) ${action}失败: ${error?.what ?? ''}`;
    case 'finished':
      if (notice.state === 'cancelled') return `(${k}) ${action}已取消: ${error?.what ?? ''}`;
      return action === '发布' ? `(${k}) 全部灰度发布完成` : `(${k}) 全部${action}完成`;
  }
}

function details({ error, rollback, left }: Notice): string[] {
  const failed = left.filter(({ kept }) => !kept);
  const kept = left.filter((each) => each.kept);
  return [
    ...(error?.where === undefined ? [] : [`位置: ${error.where}`]),
    ...(error?.whatToDo === undefined ? [] : [`处理: ${error.whatToDo}`]),
    ...(rollback === 'done' ? ['已恢复到原版本和原权重'] : []),
    ...(failed.length > 0 ? ['恢复失败,以下实例未能恢复,请立即处理:', ...failed.map(standing)] : []),
    ...(kept.length > 0 ? ['以下实例按 on_failure=halt 保持现状:', ...kept.map(standing)] : []),
  ];
}

function standing({ instance, why, linked, rotation, running }: LeftInstance): string {
  const runs = running === undefined ? '未知' : running ? '是' : '否';
  return `- ${instance}: 链接 ${linked ?? '未知'}; 权重 ${rotation ?? '未知'}; 运行中 ${runs}; 原因: ${why}`;
}
