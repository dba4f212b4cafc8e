import type { HandshakeRecord } from '../../domain/instance/instance-record.js';
import type { HealthState } from '../../domain/instance/mcp-server-instance.js';

/** What is said of the health of a server that answers. */
export function passedMessage(health: HealthState, handshake: HandshakeRecord | null): string {
  if (health === 'unauthorized') return 'The server answers but refuses the credentials.';
  return handshake?.note ?? '';
}
