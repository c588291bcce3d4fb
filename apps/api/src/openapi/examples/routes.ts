import { list } from '@rexdeploy/shared/journal/envelope';
import { type AllExamples, only } from './example.js';
import { answered } from './frame.js';
import * as job from './job.js';
import { rexExamples } from './rex.js';

const id = { id: job.JOB_ID };

const controlled = (control: string, answer: object) => ({
  path: id,
  answers: {
    200: only(`${control} was asked for before`, answer),
    202: only(`${control} is asked for`, answer),
  },
});

const PACKAGE = {
  package: 'pkg-01KJQ5A8ZT3E7V9XW2M4N6P8RS',
  k: 'server',
  kind: 'program',
  instance: {},
  files: '412',
  size: '33554432',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  created_at: '2026-03-02T06:31:12.000Z',
  by: 'ci',
};

const LOCK = { owner: job.JOB_ID, state: 'running', since: '2026-03-02T06:37:56.000Z' };

const TRUTH = {
  instance: 'server1',
  host: '192.168.0.76',
  should_run: '/data/www/html1_20260302_143756',
  linked: '/data/www/html1_20260302_143756',
  answering: '/data/www/html1_20260302_143756',
  in_rotation: '1',
  former: '/data/www/html1_20260221_143510',
  last_deployment: job.JOB_ID,
  last_state: 'succeeded',
  at: '2026-03-02T06:39:52.000Z',
};

/** Examples of all routes; where several things may be answered, one of each. */
export const examples: AllExamples = {
  'POST /rex': rexExamples,
  'GET /jobs': {
    query: { k: 'server', limit: '2' },
    answers: {
      200: only(
        'a page',
        answered({ data: list([{ ...job.ended.job }]), msg: '1 jobs', cursor: '' }, { k: 'server', limit: '2' }),
      ),
    },
  },
  'GET /jobs/:id': {
    path: id,
    answers: {
      200: {
        documented: { summary: 'the documented final answer', value: job.ended },
        running: { summary: 'while it runs', value: job.running },
        failed: { summary: 'it failed', value: job.failed },
      },
    },
  },
  'POST /jobs/:id/cancel': controlled('cancel', job.running),
  'POST /jobs/:id/hold': controlled('hold', job.running),
  'POST /jobs/:id/resume': { path: id, answers: { 202: only('resume is asked for', job.held) } },
  'GET /jobs/:id/events': {
    path: id,
    answers: {
      200: {
        step: { summary: 'data: of one message', value: job.streamed[0] },
        progress: { summary: 'data: of another one', value: job.streamed[1] },
        end: {
          summary: 'data: of the last one',
          value: { type: 'end', at: '2026-03-02T06:42:46.000Z', ...job.ended },
        },
      },
    },
  },
  'GET /packages': {
    query: { k: 'server' },
    answers: { 200: only('one package', answered({ data: list([PACKAGE]), msg: '1 packages' }, { k: 'server' })) },
  },
  'POST /packages': {
    answers: {
      200: only(
        'a program',
        answered({ data: {}, msg: `${PACKAGE.package} uploaded for server`, ...PACKAGE }, { k: 'server' }),
      ),
    },
  },
  'GET /names': {
    answers: {
      200: only(
        'one name, which is being deployed',
        answered({
          data: list([
            {
              k: 'server',
              desc: '',
              batches: list(['server1', 'server2']),
              instances: list([
                { instance: 'server1', host: '192.168.0.76' },
                { instance: 'server2', host: '192.168.0.248' },
              ]),
              lock: LOCK,
              last_deployment: { id: job.JOB_ID, state: 'running', created_at: LOCK.since },
            },
          ]),
          msg: '1 names',
        }),
      ),
    },
  },
  'GET /names/:k': {
    path: { k: 'server' },
    answers: {
      200: {
        told: {
          summary: 'what the journals tell',
          value: answered({ data: list([TRUTH]), msg: '1 instances of server', lock: {} }),
        },
        observed: {
          summary: 'as a worker sees it now',
          value: answered(
            {
              data: list([{ ...TRUTH, rotation: 'up', health: 'status 200', processes: '2', lock: {}, error: '' }]),
              msg: '1 instances of server',
              lock: {},
              observed_at: '2026-03-02T06:44:01.000Z',
            },
            { observe: '1' },
          ),
        },
      },
    },
  },
  'GET /drained': {
    answers: {
      200: only(
        'one instance that a failed deployment left out on purpose',
        answered({
          data: list([
            {
              k: 'server',
              instance: 'server2',
              host: '192.168.0.248',
              since: '2026-03-02T06:41:57.000Z',
              deployment: job.JOB_ID,
              state: 'failed',
              exact: 'server 192.168.0.248:6080 weight=5;',
              kept: 'on_failure is halt',
            },
          ]),
          msg: '1 instances out of rotation',
        }),
      ),
    },
  },
  'GET /healthz': { answers: { 200: only('alive', answered({ data: {}, msg: 'alive' })) } },
  'GET /readyz': { answers: { 200: only('ready', answered({ data: {}, msg: 'ready', workers: '2' })) } },
  'GET /openapi.json': {
    answers: {
      200: only('its beginning', { openapi: '3.1.1', info: { title: 'Rexdeploy', version: '1.0.0' }, paths: {} }),
    },
  },
  'GET /docs': { answers: { 200: only('its beginning', '<!DOCTYPE html>') } },
};
