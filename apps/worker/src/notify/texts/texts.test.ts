import { describe, expect, test } from 'vitest';
import type { Notice } from '../notice.js';
import { messageOf } from './texts.js';

const job: Notice['job'] = {
  id: 'dep-1',
  state: 'running',
  k: 'server',
  action: 'deploy',
  created_at: '',
  url: '/jobs/dep-1',
  events: '',
  progress: { done: '1', total: '2', instance: '', step: '', bytes: '', bytes_total: '' },
};
const NOTICE: Notice = {
  type: 'started',
  deployment: 'dep-1',
  k: 'server',
  name: 'server',
  action: 'deploy',
  state: 'running',
  at: '2018-05-29T20:37:56.000Z',
  by: 'ci',
  environment: { key: 'prod', desc: '生产环境' },
  instances: ['server1', 'server2'],
  left: [],
  url: 'https://d/jobs/dep-1',
  job,
};
const batch = { number: 1, of: 2, instances: ['server1'] };
const error = { code: 'rollout', what: 'server2 failed at verify', where: 'server2', whatToDo: 'look at its log' };
const left = {
  instance: 'server2',
  why: 'refused',
  kept: false,
  linked: '/d/html_1',
  rotation: 'out (0)',
  running: false,
};
const unknown = { instance: 'server2', why: 'refused', kept: true };

interface Row {
  what: string;
  notice: Partial<Notice>;
  zh: [string, string];
  en: string;
}

const ROWS: Row[] = [
  {
    what: 'a start',
    notice: {},
    zh: ['灰度发布-滚动发布(0)', '(生产环境) 开始时间: 2018-05-30 04:37:56 发布系统: server (ci)'],
    en: '(生产环境) deployment of server started at 2018-05-30 04:37:56 by ci',
  },
  {
    what: 'a batch',
    notice: { type: 'batch', batch },
    zh: [
      '灰度发布-滚动发布(6)',
      '(生产环境) 结束时间:2018-05-30 04:37:56 (server1) 添加节点成功,结束本次节点发布 (第 1/2 批)',
    ],
    en: '(生产环境) (server1) deployment done and back in rotation at 2018-05-30 04:37:56, batch 1 of 2',
  },
  {
    what: 'a hold, in an environment without a description',
    notice: { type: 'held', batch, environment: { key: 'prod', desc: '' } },
    zh: ['灰度发布-滚动发布(2)', '(prod) (server) 第 1/2 批完成后暂停,等待继续或取消'],
    en: '(prod) deployment of server is held after batch 1 of 2: resume or cancel it',
  },
  {
    what: 'the end',
    notice: { type: 'finished', state: 'succeeded' },
    zh: ['灰度发布-滚动发布(0000)', '(生产环境) (server) 全部灰度发布完成'],
    en: '(生产环境) deployment of server finished',
  },
  {
    what: 'a cancellation',
    notice: { type: 'finished', state: 'cancelled', error: { code: 'cancelled', what: 'cancelled by ann' } },
    zh: ['灰度发布-滚动发布(0000)', '(生产环境) (server) 发布已取消: cancelled by ann'],
    en: '(生产环境) deployment of server was cancelled: cancelled by ann',
  },
  {
    what: 'a failed deployment that was brought back',
    notice: { type: 'failed', state: 'failed', error, rollback: 'done' },
    zh: [
      '灰度发布-滚动发布(0000)',
      '(生产环境) (server) 发布失败: server2 failed at verify\n位置: server2\n处理: look at its log\n已恢复到原版本和原权重',
    ],
    en: '(生产环境) deployment of server FAILED: server2 failed at verify\nWhere: server2\nWhat to do: look at its log\nBrought back to the former release and weight',
  },
  {
    what: 'a failed rollback that left an instance',
    notice: { type: 'failed', action: 'rollback', state: 'failed', error, rollback: 'failed', left: [left] },
    zh: [
      '灰度发布-滚动发布(0000)',
      '(生产环境) (server) 回滚失败: server2 failed at verify\n位置: server2\n处理: look at its log\n恢复失败,以下实例未能恢复,请立即处理:\n- server2: 链接 /d/html_1; 权重 out (0); 运行中 否; 原因: refused',
    ],
    en: '(生产环境) rollback of server FAILED: server2 failed at verify\nWhere: server2\nWhat to do: look at its log\nNOT brought back, act now:\n- server2: linked to /d/html_1; weight out (0); running no; why: refused',
  },
  {
    what: 'an instance that is left on purpose, of which nothing is known',
    notice: { type: 'failed', state: 'failed', error: { code: 'x', what: 'w' }, rollback: 'none', left: [unknown] },
    zh: [
      '灰度发布-滚动发布(0000)',
      '(生产环境) (server) 发布失败: w\n以下实例按 on_failure=halt 保持现状:\n- server2: 链接 未知; 权重 未知; 运行中 未知; 原因: refused',
    ],
    en: '(生产环境) deployment of server FAILED: w\nLeft as it is, because on_failure is halt:\n- server2: linked to not known; weight not known; running not known; why: refused',
  },
];

describe('what people read', () => {
  test.for(ROWS)('of $what', ({ notice, zh: [subject, zh], en }) => {
    const whole = { ...NOTICE, ...notice };
    expect(messageOf(whole, 'zh', 'Asia/Shanghai')).toEqual({ subject, text: `${zh}\n任务: https://d/jobs/dep-1` });
    expect(messageOf(whole, 'en', 'Asia/Shanghai').text).toBe(`${en}\nJob: https://d/jobs/dep-1`);
  });
});
