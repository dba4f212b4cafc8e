import { hkdfSync } from 'node:crypto';
import type { ConnectionOptions, SecureContextOptions, TlsOptions } from 'node:tls';

const identity = 'mcpinfra';

// Forward secret and authenticated by the key alone. Node has no external keys in TLS 1.3.
const settings: SecureContextOptions = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
};

/** The TLS settings of both sides of a connection between peers. */
export interface PeerTLS {
  readonly server: TlsOptions;
  readonly client: ConnectionOptions;
}

/** Makes them of the fleet's key: no certificates, since both prove that they know the key (RFC 5489). */
export function peerTLS(key: string, fleet: string): PeerTLS {
  // The fleet is part of the key, so that a host that uses one key for two fleets keeps them apart.
  const psk = Buffer.from(hkdfSync('sha256', key, fleet, 'mcpinfra peer link', 32));
  return {
    server: {
      ...settings,
      pskCallback: (_socket, asked) => (asked === identity ? psk : null),
    },
    client: {
      ...settings,
      pskCallback: () => ({ psk, identity }),
      // There is no certificate to look at; without one, no other cipher could have been agreed on.
      checkServerIdentity: () => undefined,
    },
  };
}
