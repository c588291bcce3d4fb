import { expect, test } from 'vitest';
import { chooseServer } from './choose-server.js';
import { exactOf, parseExact, parseRuntime, type ServerState } from './runtime-state.js';

/** As HAProxy 2.6 answers to `set server …; show servers state app; show stat app 4 -1`, columns shortened. */
const ANSWER = `

1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 app 1 s1 10.0.0.1 0 0 7 7 1 8 2 0 6 0 0 0 - 80 - 0 0 - - 0
3 app 2 s2 10.0.0.2 2 8 256 256 1 1 0 2 0 0 0 0 app.example.com 81 - 0 0 - - 0
3 app 3 s3 10.0.0.2 0 5 1 1 1 1 0 0 8 0 0 0 - 82 - 0 0 - - 0
3 app 4 s4 10.0.0.4 2 32 1 1 1 1 0 0 0 0 0 0 - 82 - 0 0 - - 0

# pxname,svname,qcur,qmax,scur,smax
app,s1,0,0,0,4
app,s2,0,0,12,14

`;
const { servers, sessions, complaint } = parseRuntime(ANSWER);

test('reads servers and sessions out of the answers to several commands', () => {
  expect(servers).toEqual([
    { name: 's1', address: '10.0.0.1', fqdn: undefined, port: 80, state: 'ready', weight: 7, up: false },
    { name: 's2', address: '10.0.0.2', fqdn: 'app.example.com', port: 81, state: 'drain', weight: 256, up: undefined },
    { name: 's3', address: '10.0.0.2', fqdn: undefined, port: 82, state: 'maint', weight: 1, up: undefined },
    { name: 's4', address: '10.0.0.4', fqdn: undefined, port: 82, state: 'maint', weight: 1, up: undefined },
  ]);
  expect([...sessions]).toEqual([
    ['s1', 0],
    ['s2', 12],
  ]);
  expect(complaint).toBe('');
});

test.each([
  ["Can't find backend.\n\n", "Can't find backend."],
  ['Permission denied\n\n', 'Permission denied'],
  [`No such server.\n${ANSWER}`, 'No such server.'],
])('what HAProxy complains of is told: %j', (answer, complained) => {
  expect(parseRuntime(answer).complaint).toBe(complained);
});

test.each([
  [{ state: 'ready', weight: 7, up: true }, 'ready weight=7'],
  [{ state: 'ready', weight: 7, up: undefined }, 'ready weight=7'],
  [{ state: 'drain', weight: 0, up: false }, 'drain weight=0 down'],
  [{ state: 'maint', weight: 3, up: false }, 'maint weight=3'],
] as const)('%j is kept as %s', (server, exact) => {
  expect(exactOf(server)).toBe(exact);
  expect(parseExact(exact)).toEqual({ state: server.state, weight: server.weight, down: exact.endsWith('down') });
});

test.each(['', 'server 10.0.0.1:80;', 'ready', 'up weight=1'])('%j is no state of HAProxy', (text) => {
  expect(parseExact(text)).toBeUndefined();
});

const health = { url: 'http://{host}:81/health', status: 200, contains: '', delay: 0, attempts: 1, timeout: 1 };
const instance = (host: string, more: object = {}) => ({ key: 'server1', host, ...more });

test.each([
  ['by its address', instance('10.0.0.1'), undefined, 's1'],
  ['by its address, whatever its port', instance('10.0.0.1', { health }), undefined, 's1'],
  ['by its name in HAProxy', instance('APP.example.com'), undefined, 's2'],
  ['by the port of the health check where several have one address', instance('10.0.0.2', { health }), undefined, 's2'],
  ['by balancer_port', instance('10.0.0.2', { balancerPort: 82, health }), undefined, 's3'],
  ['by the name in the configuration', instance('10.0.0.2', { balancerPort: 82 }), 's1', 's1'],
])('a server is found %s', (_, of, name, wanted) => {
  const choice = chooseServer(servers, name, of, [of.host]);
  expect('server' in choice && choice.server.name).toBe(wanted);
});

test.each([
  ['no server at 10.0.0.9 for server1; there are: s1 (10.0.0.1:80), s2', instance('10.0.0.9'), undefined],
  ['more than one server at 10.0.0.2 for server1; there are: s1', instance('10.0.0.2'), undefined],
  ['no server at 10.0.0.1:90 for server1', instance('10.0.0.1', { balancerPort: 90 }), undefined],
  ['no server x for server1', instance('10.0.0.1'), 'x'],
])('%s', (problem, of, name) => {
  expect(chooseServer(servers, name, of, [of.host])).toEqual({ problem: expect.stringContaining(problem) });
});

test('a backend without servers says so', () => {
  const none: ServerState[] = [];
  expect(chooseServer(none, undefined, instance('h'), ['h'])).toEqual({
    problem: 'no server at h for server1; there are: none',
  });
});
