import { createRequire } from 'node:module';

/**
 * Whether ssh2's compiled cipher code is in use. Without it everything works, with 20 to 50 % more CPU; worth a line
 * in a start-up log, never a requirement.
 */
export const nativeCrypto: boolean = bindingAvailable();

function bindingAvailable(): boolean {
  try {
    // Not part of ssh2's public interface: absent in another version means "no", not a crash.
    const crypto: unknown = createRequire(import.meta.url)('ssh2/lib/protocol/crypto.js');
    return typeof crypto === 'object' && crypto !== null && Reflect.get(crypto, 'bindingAvailable') === true;
  } catch {
    return false;
  }
}
