import { expect, test } from 'vitest';
import { parseServerLine, takenOut, weighted } from './server-line.js';

test.each([
  ['server 10.0.0.1:80;', { host: '10.0.0.1', port: 80, down: false, weight: 1 }],
  ['  server 10.0.0.1;', { host: '10.0.0.1', port: undefined, down: false, weight: 1 }],
  [
    '\tserver app.example.com:8080 weight=5 max_fails=2; # first',
    { host: 'app.example.com', port: 8080, down: false, weight: 5 },
  ],
  ['server [::1]:80 down;', { host: '::1', port: 80, down: true, weight: 1 }],
])('reads %s', (text, wanted) => {
  expect(parseServerLine(text)).toEqual({ text, ...wanted });
});

test.each(['server unix:/run/a.sock', 'server_name x;', '# server 10.0.0.1;', 'upstream x {'])(
  '%s is no server line',
  (text) => {
    expect(parseServerLine(text)).toBeUndefined();
  },
);

test.each([
  ['    server 10.0.0.1:80;', '    server 10.0.0.1:80 down;'],
  ['server 10.0.0.1:80 weight=5; # main', 'server 10.0.0.1:80 weight=5 down; # main'],
  ['server 10.0.0.1:80 down;', 'server 10.0.0.1:80 down;'],
  ['server 10.0.0.1:80 backup ;', 'server 10.0.0.1:80 backup down;'],
])('%s taken out is %s', (line, out) => {
  expect(takenOut(line)).toBe(out);
});

test.each([
  ['    server 10.0.0.1:80;', '    server 10.0.0.1:80 weight=3;'],
  ['server 10.0.0.1:80 weight=5; # main', 'server 10.0.0.1:80 weight=3; # main'],
  ['server 10.0.0.1:80 down;', 'server 10.0.0.1:80 weight=3;'],
  ['server 10.0.0.1:80 max_fails=2 weight=5  down ;', 'server 10.0.0.1:80 weight=3 max_fails=2;'],
])('%s with the weight 3 is %s', (line, wanted) => {
  expect(weighted(line, 3)).toBe(wanted);
});
