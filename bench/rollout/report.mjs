/** The tables of the roll-outs. */
import { digits, median, medianRatio } from '../lib/stats.mjs';
import { table, verdict } from '../lib/table.mjs';

/** Per instance, for an app that is up in 20 ms. */
const OUT_AT_MOST = 0.12;
const PEAK_AT_MOST_MIB = 200;
/** Times the script's. */
const CPU_AT_MOST = 2;

export function report(results, { peers, freshTimes, line }) {
  const figures = Object.entries(results).map(([key, result]) => figuresOf(key, result, peers));
  const rounds = Math.min(...Object.values(results).map(({ runs }) => runs.ours.length));
  const variant = [
    `medians of ${rounds} rounds`,
    ...(freshTimes ? ['every file with a new time'] : []),
    ...(line === undefined ? [] : [`over ${line.rttMs} ms and ${line.mbit} Mbit/s`]),
  ].join(', ');
  const text = [
    `Whole roll-outs in seconds (${variant})`,
    '',
    wallTable(figures, peers, line === undefined),
    '',
    'Seconds out of rotation, for each instance',
    '',
    outTable(figures, peers, line === undefined),
    '',
    'What it costs (ours / tuned script)',
    '',
    costTable(figures),
  ].join('\n');
  return { text, figures };
}

function figuresOf(key, { item, runs, bytes }, peers) {
  const of = (who, field) => runs[who].map((each) => each[field]);
  const perContender = Object.fromEntries(
    ['ours', 'anew', ...peers].map((who) => [
      who,
      {
        seconds: median(of(who, 'seconds')),
        out: median(of(who, 'out').flat()),
        controllerCpu: median(of(who, 'controllerCpu')),
        hostCpu: median(of(who, 'hostCpu')),
        connections: median(of(who, 'connections')),
        execs: median(of(who, 'execs')),
        mbUp: (bytes[who]?.bytesUp ?? median(of(who, 'bytesUp'))) / 1e6,
        mbDown: (bytes[who]?.bytesDown ?? median(of(who, 'bytesDown'))) / 1e6,
        otherCores: median(runs[who].map(({ otherCpu, seconds }) => otherCpu / seconds)),
      },
    ]),
  );
  perContender.ours.peakMiB = median(of('ours', 'peakMiB'));
  const ratios = Object.fromEntries(peers.map((who) => [who, medianRatio(of('ours', 'seconds'), of(who, 'seconds'))]));
  if (peers.includes('tuned')) ratios.anew = medianRatio(of('anew', 'seconds'), of('tuned', 'seconds'));
  return { key, what: item.what, atMost: item.atMost, goal: item.goal, ratios, ...perContender };
}

function wallTable(figures, peers, hasTargets) {
  const anew = peers.includes('tuned') ? ['anew ÷ tuned'] : [];
  const over = peers.map((who) => `÷ ${who}`);
  const head = ['', 'ours', 'anew', ...peers, ...over, ...anew, 'at most', '', 'goal', '', 'others, cores'];
  const rows = figures.map((row) => [
    `${row.key} ${row.what}`,
    digits(row.ours.seconds),
    digits(row.anew.seconds),
    ...peers.map((who) => digits(row[who].seconds)),
    ...peers.map((who) => row.ratios[who].toFixed(2)),
    ...anew.map(() => row.ratios.anew.toFixed(2)),
    ...targets(row, peers, hasTargets),
    row.ours.otherCores.toFixed(1),
  ]);
  return table(head, rows);
}

/** Over a slow line it is enough to be ahead. */
function targets({ ratios, atMost, goal }, peers, hasTargets) {
  if (!peers.includes('tuned')) return ['', '', '', ''];
  if (!hasTargets) return ['1.00', verdict(ratios.tuned, 1), '', ''];
  return [atMost.toFixed(2), verdict(ratios.tuned, atMost), goal.toFixed(2), verdict(ratios.tuned, goal)];
}

function outTable(figures, peers, hasTarget) {
  const head = ['', 'ours', ...peers, ...(hasTarget ? ['ours at most', ''] : [])];
  const rows = figures.map((row) => [
    row.key,
    ...['ours', ...peers].map((who) => digits(row[who].out)),
    ...(hasTarget ? [String(OUT_AT_MOST), verdict(row.ours.out, OUT_AT_MOST)] : []),
  ]);
  return table(head, rows);
}

function costTable(figures) {
  const head = [
    '',
    'controller CPU s',
    '÷',
    `at most ${CPU_AT_MOST}`,
    'host CPU s',
    'MB to the hosts',
    'MB back',
    'connections',
    'commands',
    'worker peak MiB',
    `at most ${PEAK_AT_MOST_MIB}`,
  ];
  const rows = figures.map(({ key, ours, tuned }) => {
    const pair = (field) => `${digits(ours[field])} / ${tuned === undefined ? '–' : digits(tuned[field])}`;
    const ratio = ours.controllerCpu / (tuned?.controllerCpu ?? Number.NaN);
    const whole = (field) => `${ours[field]} / ${tuned?.[field] ?? '–'}`;
    return [
      key,
      pair('controllerCpu'),
      digits(ratio),
      verdict(ratio, CPU_AT_MOST),
      pair('hostCpu'),
      pair('mbUp'),
      pair('mbDown'),
      whole('connections'),
      whole('execs'),
      Math.round(ours.peakMiB).toString(),
      verdict(ours.peakMiB, PEAK_AT_MOST_MIB),
    ];
  });
  return table(head, rows);
}
