/** The text of an nginx upstream file, one `server` line per instance. */

export interface UpstreamServer {
  address: string;
  port: number;
  /** Marked `down`: nginx sends it nothing. */
  down: boolean;
  weight: number;
  /** The line without indentation. */
  line: string;
}

export function upstreamText(name: string, servers: readonly { address: string; port: number }[]): string {
  const lines = servers.map(({ address, port }) => `  server ${address}:${port};\n`);
  return `upstream ${name} {\n${lines.join('')}}\n`;
}

/** Lines that are commented out are not listed. */
export function parseUpstream(text: string): UpstreamServer[] {
  return text.split('\n').flatMap((raw) => {
    const line = raw.trim();
    const match = /^server\s+([\d.]+):(\d+)([^;]*);/.exec(line);
    if (match === null) return [];
    const [, address = '', port, options = ''] = match;
    const weight = /\bweight=(\d+)/.exec(options)?.[1];
    return [{ address, port: Number(port), down: /\bdown\b/.test(options), weight: Number(weight ?? 1), line }];
  });
}
