/** `server` lines of an nginx upstream: `server 192.168.0.76:6080 weight=5 down; # comment`. */

const LINE = /^(\s*server\s+)([^\s;]+)([^;]*)(;.*)$/;

const WEIGHT = /(?<=\s)weight=(\d+)(?=\s|$)/;

export interface ServerLine {
  /** The whole line as it stands in the file. */
  text: string;
  host: string;
  port: number | undefined;
  down: boolean;
  /** nginx's own default is 1. */
  weight: number;
}

/** Reads a line; undefined when it is no single `server …;`. */
export function parseServerLine(text: string): ServerLine | undefined {
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const [, , address = '', parameters = ''] = match;
  const split = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(address);
  if (split === null) return undefined;
  return {
    text,
    host: (split[1] ?? '').replace(/^\[|\]$/g, ''),
    port: split[2] === undefined ? undefined : Number(split[2]),
    down: parameters.split(/\s+/).includes('down'),
    weight: Number(WEIGHT.exec(parameters)?.[1] ?? 1),
  };
}

/** The line with the server marked as down; a line that is, stays as it is. */
export function takenOut(text: string): string {
  const line = parseServerLine(text);
  if (line === undefined || line.down) return text;
  return text.replace(
    LINE,
    (_, lead: string, address: string, parameters: string, rest: string) =>
      `${lead}${address}${parameters.trimEnd()} down${rest}`,
  );
}

/** The line with the server in rotation and this weight; all else stays. */
export function weighted(text: string, weight: number): string {
  return text.replace(LINE, (_, lead: string, address: string, parameters: string, rest: string) => {
    const kept = parameters.split(/\s+/).filter((word) => word !== '' && word !== 'down' && !/^weight=\d+$/.test(word));
    return `${lead}${[address, `weight=${weight}`, ...kept].join(' ')}${rest}`;
  });
}
