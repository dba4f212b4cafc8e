import { reservedScope } from '../../domain/secrets/secret-scopes.js';
import type { SecretReference } from '../../domain/secrets/secret-reference.js';
import type { ServiceContext } from '../context/service-context.js';

/** Where the key of fingerprints is kept that the host does not give. */
export const fingerprintKey: SecretReference = { scope: reservedScope, key: 'FINGERPRINT_KEY' };

/** Whether there is a key, or somewhere to keep one. */
export function hasFingerprintKey(context: Pick<ServiceContext, 'secretStore' | 'settings'>): boolean {
  return context.secretStore !== null || context.settings.fingerprintKey !== null;
}
