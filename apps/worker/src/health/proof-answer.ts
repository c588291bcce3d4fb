import { HostError } from '@rexdeploy/shared/errors/host-errors';
import { z } from 'zod';
import { checkFacts } from '../hosts/answers.js';

const answer = z.enum(['yes', 'no']).transform((text) => text === 'yes');
const rowSchema = z.object({
  pid: z.string(),
  /** Ticks since boot; with the id it names a process, whoever gets the id later. */
  start: z.string(),
  age: z.enum(['new', 'old', 'unknown']),
  matches: answer,
  listens: answer,
  shows: z.enum(['release', 'other', 'nothing']),
  parents: z.string().transform((text) => text.split(' ').filter((pid) => pid !== '')),
  evidence: z.string(),
  /** Empty: may not be read. */
  cwd: z.string(),
  command: z.string(),
});
const FIELDS = Object.keys(rowSchema.shape);

/** One process that matches the instance's pattern or listens on its port; see prove.sh. */
export type ProofRow = z.infer<typeof rowSchema>;

/** What a host tells about the processes of an instance. */
export interface ProofAnswer {
  rows: ProofRow[];
  /** Sockets that listen on the port, and how many of them belong to processes that may not be seen. */
  sockets: number;
  unseen: number;
  user: string;
}

const count = z.coerce.number().int().nonnegative().default(0);
const factsSchema = z.object({ sockets: count, unseen: count, user: z.string() });

/** Reads the answer of prove.sh. @throws HostError when it is none */
export function parseProof(stdout: string, host: string): ProofAnswer {
  const rows = stdout
    .split('\n')
    .filter((line) => line.startsWith('process\t'))
    .map((line) => {
      const fields = line.split('\t').slice(1);
      const row = rowSchema.safeParse(Object.fromEntries(FIELDS.map((name, at) => [name, fields[at]])));
      if (row.success) return row.data;
      throw new HostError({ host, what: `the answer of prove cannot be used: ${JSON.stringify(line)}` });
    });
  return { rows, ...checkFacts(factsSchema, stdout, host, 'prove') };
}
