import { expect, test } from 'vitest';
import { compareLabels, labelMeant, labelOf, newestLabel } from './release-label.js';

const DIRS = ['/data/www/html1', '/data/other/html2'];

test.for([
  ['20180530_043756', '20180530_043756'],
  ['20180530_043756_before', '20180530_043756_before'],
  ['html2_20180530_043756', '20180530_043756'],
  ['/data/www/html1_20180530_043756', '20180530_043756'],
  ['/data/www/html2_20180530_043756', undefined],
  ['/data/www/../www/html1_20180530_043756', undefined],
  ['html3_20180530_043756', undefined],
  ['html1_20180530_043756.partial', undefined],
  ['html1', undefined],
  ['', undefined],
] as const)('%s means the release %s', ([text, label]) => {
  expect(labelMeant(text, DIRS)).toBe(label);
});

test('a directory that goes by another name is no release', () => {
  expect(labelOf('/srv/html1_20180530_043756', '/data/www/html1')).toBe('20180530_043756');
  expect(labelOf('/data/www/html1-v1', '/data/www/html1')).toBeUndefined();
});

test('what made way for a release is older than it, and newer than all before', () => {
  const labels = ['20180530_043756', '20180530_043756_before', '20180530_043755', '20180530_043757_before'];
  expect(labels.toSorted(compareLabels)).toEqual([
    '20180530_043755',
    '20180530_043756_before',
    '20180530_043756',
    '20180530_043757_before',
  ]);
  expect([newestLabel(labels), newestLabel([])]).toEqual(['20180530_043757_before', undefined]);
});
