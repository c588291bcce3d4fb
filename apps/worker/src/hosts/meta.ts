import { z } from 'zod';

/** What lies beside a release on its host, in `.rexdeploy/<release>.json`. */
const metaSchema = z.object({
  deployment: z.string(),
  /** Manifest of the tree as it was placed; program only. */
  manifest: z.string().optional(),
  /** Digest of the tree's listing when it was placed. */
  listing: z.string().optional(),
  /** Config package that was laid over last; of the configuration, or of a program that holds it. */
  package: z.string().optional(),
});
export type ReleaseMeta = z.infer<typeof metaSchema>;

/** Reads the line that a host gave; undefined when it is missing or not ours. */
export function parseMeta(line: string | undefined): ReleaseMeta | undefined {
  if (line === undefined) return undefined;
  try {
    const parsed = metaSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // damaged by a crash: as good as none, the tree is then listed instead
  }
}

/** The line to write; the host puts the listing's digest in. */
export const metaLine = (meta: Omit<ReleaseMeta, 'listing'>): string =>
  JSON.stringify({ ...meta, listing: '@LISTING@' });
