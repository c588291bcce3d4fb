import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import { NotifyError } from '@rexdeploy/shared/errors/notify-error';
import type { DeployRequest, JournalEvent } from '@rexdeploy/shared/journal/events';
import { describe, expect, test } from 'vitest';
import { conceal, placeOf } from './conceal.js';
import { cutBytes } from './cut.js';
import { noticeTypeOf } from './notice.js';
import { checkRobotAnswer } from './robot-answer.js';
import { signDingtalk, signFeishu, signWebhook } from './sign.js';

const NOTIFIER: ResolvedNotifier = {
  type: 'wecom',
  name: 'ops',
  url: 'https://user:pass-word@robots.example.com/hook/abcdef-123456?key=693a91f6-7xxx',
  secret: 'SEC-0123456789',
  events: ['failed'],
  lang: 'zh',
  timeoutMs: 1,
  retryMs: 1,
};

describe('signatures are those that the commands in the vendors’ documentation make', () => {
  // printf '%s.%s' 1700000000 '{"a":1}' | openssl dgst -sha256 -hmac s3cret
  test('webhook', () => {
    expect(signWebhook('s3cret', 1_700_000_000, '{"a":1}')).toBe(
      'sha256=1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940',
    );
  });
  // printf '1577262236757\nSECtest' | openssl dgst -sha256 -hmac SECtest -binary | base64
  test('dingtalk', () => {
    expect(signDingtalk('SECtest', 1_577_262_236_757)).toBe('Za/ne6w2koB8B4ROVlgTNd/X+/FbyDpZrXLz57xNZSA=');
  });
  // printf '' | openssl dgst -sha256 -hmac "$(printf '1599360473\ndemo')" -binary | base64
  test('feishu', () => {
    expect(signFeishu('demo', 1_599_360_473)).toBe('l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=');
  });
});

describe('a robot’s answer', () => {
  test.for([
    ['WeCom or DingTalk took it', '{"errcode":0,"errmsg":"ok"}', undefined, false],
    ['Feishu took it', '{"code":0,"data":{},"msg":"success"}', undefined, false],
    ['Feishu took it, as it said formerly', '{"StatusCode":0,"StatusMessage":"success"}', undefined, false],
    [
      'the key is wrong',
      '{"errcode":93000,"errmsg":"invalid webhook url"}',
      'refused with code 93000: invalid webhook url',
      false,
    ],
    [
      'the signature is wrong',
      '{"errcode":310000,"errmsg":"sign not match"}',
      'refused with code 310000: sign not match',
      false,
    ],
    [
      'too often',
      '{"errcode":45009,"errmsg":"api freq out of limit"}',
      'refused with code 45009: api freq out of limit',
      true,
    ],
    ['Feishu: too often', '{"code":11232,"msg":"too many request"}', 'refused with code 11232: too many request', true],
    ['no robot at all', '<html>', 'the answer is not one of such a robot', true],
    ['a number without a meaning', '{"ok":true}', 'the answer is not one of such a robot', true],
  ] as const)('%s', ([_, text, what, retryable]) => {
    const check = () => checkRobotAnswer(NOTIFIER, text);
    if (what === undefined) return expect(check).not.toThrow();
    try {
      check();
    } catch (error) {
      expect(error).toBeInstanceOf(NotifyError);
      expect(error).toMatchObject({ what, retryable });
      return undefined;
    }
    return expect.fail('nothing was thrown');
  });
});

test('of an address only the host is shown, and a text that repeats the rest loses it', () => {
  expect(placeOf(NOTIFIER)).toBe('ops (robots.example.com)');
  const { url, secret } = NOTIFIER;
  const shown = conceal(`no ${url}, no abcdef-123456, key 693a91f6-7xxx, ${secret}, pass-word`, NOTIFIER);
  expect(shown).toBe('no …, no …, key …, …, …');
});

test.for([
  ['short', 5, 'short'],
  ['longer', 5, 'lo…'],
  ['灰度发布', 12, '灰度发布'],
  ['灰度发布完成', 12, '灰度发…'],
  ['灰度发布完成', 11, '灰度…'],
] as const)('%s cut to %i bytes is %s', ([text, bytes, cut]) => {
  expect(cutBytes(text, bytes)).toBe(cut);
  expect(Buffer.byteLength(cutBytes(text, bytes))).toBeLessThanOrEqual(bytes);
});

describe('who is told of what', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const claimed = (epoch: number): JournalEvent => ({ type: 'claimed', at, worker: 'w', epoch });
  const finished = (state: 'succeeded' | 'failed' | 'cancelled'): JournalEvent => ({ type: 'finished', at, state });
  const ask = (action: string, dryRun = false) => ({ action, dryRun }) as DeployRequest;
  test.for([
    [claimed(1), ask('deploy'), 'started'],
    [claimed(2), ask('deploy'), undefined],
    [{ type: 'batch-finished', at, batch: 0 }, ask('rollback'), 'batch'],
    [{ type: 'held', at, batch: 0 }, ask('converge'), 'held'],
    [finished('failed'), ask('deploy'), 'failed'],
    [finished('succeeded'), ask('deploy'), 'finished'],
    [finished('cancelled'), ask('deploy'), 'finished'],
    [finished('succeeded'), ask('deploy', true), undefined],
    [finished('failed'), ask('check'), undefined],
    [claimed(1), ask('sweep'), undefined],
    [finished('failed'), ask('sweep'), 'failed'],
  ] as [JournalEvent, DeployRequest, string | undefined][])('%j of %j: %s', ([event, request, type]) => {
    expect(noticeTypeOf(event, request)).toBe(type);
  });
});
