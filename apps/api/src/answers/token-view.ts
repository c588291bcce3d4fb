import type { TokenRow } from '@rexdeploy/shared/api/routes/tokens';
import type { TokenRecord } from '@rexdeploy/shared/tokens';

/** A token as answers show it: by its name, masked. */
export const tokenView = (record: TokenRecord): TokenRow => ({
  id: record.name,
  name: record.name,
  role: record.role,
  names: record.names,
  token: record.masked,
  created_at: new Date(record.created).toISOString(),
  // `{}`: never.
  expires_at: record.expires === 0 ? {} : new Date(record.expires).toISOString(),
  last_used_at: record.lastUsed === 0 ? {} : new Date(record.lastUsed).toISOString(),
});
