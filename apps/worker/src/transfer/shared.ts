/** Where the shared entries of an instance lie. */
export const sharedFolder = (programDir: string): string => `${programDir}_shared`;

/** Entries as the scripts read them; their names hold no line end. */
export const sharedList = (entries: readonly string[]): string => entries.join('\n');
