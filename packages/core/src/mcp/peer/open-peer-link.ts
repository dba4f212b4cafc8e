import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { PeerHost, PeerLink } from '../../ports/peer-link.js';
import { limits } from '../limits.js';
import { untilGoodbye } from './goodbye.js';
import { PeerClient } from './peer-client.js';
import { readLines } from './peer-lines.js';
import { formatPeerPath, type PeerRequest } from './peer-path.js';
import { PeerServer } from './peer-server.js';
import { peerTLS } from './peer-tls.js';

/** How a process speaks with its peers. */
export interface PeerSettings {
  /** Known to every process of the fleet and to nobody else. */
  readonly key: string;
  /** Where to listen; `null` for a process that only asks others. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** `host:port` at which others reach this process; `null` where that is where it listens. */
  readonly advertise: string | null;
}

/** How a peer link is opened. */
export interface PeerLinkOptions {
  readonly settings: PeerSettings;
  readonly fleet: string;
  readonly host: PeerHost;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Opens the peer link of a process: listens where it is to, and is ready to ask others. @throws `INVALID_OPTIONS` */
export async function openPeerLink(options: PeerLinkOptions): Promise<PeerLink> {
  const { settings, fleet, host, clock, logger } = options;
  const tls = peerTLS(settings.key, fleet);
  const client = new PeerClient({ tls: tls.client, clock });
  const server = new PeerServer({ tls: tls.server, host, clock, logger, maxBytes: limits.messageBytes });
  const address = settings.listen === null ? undefined : await listen(server, settings.listen, settings);
  const refusedBy = new Set<string>();

  const open = async (to: string, request: PeerRequest, signal?: AbortSignal) => {
    try {
      return await client.open(to, formatPeerPath(request), { signal });
    } catch (error) {
      if (MCPInfraError.isInstance(error) && error.code === 'PEER_UNAUTHORIZED' && !refusedBy.has(to)) {
        refusedBy.add(to);
        logger.warn('another process of the fleet does not take the peer key of this one (logged once)', {
          address: to,
        });
      }
      throw error;
    }
  };
  return {
    address,
    async openChannel(to, copy, { signal } = {}) {
      const socket = await open(to, { what: 'stdio', copy }, signal);
      return { input: socket, output: untilGoodbye(socket), close: () => void socket.destroy() };
    },
    async openLogs(to, logs, { signal } = {}) {
      const socket = await open(to, { what: 'logs', logs }, signal);
      return readLines(socket, { signal, maxBytes: limits.messageBytes, follow: logs.query.follow === true });
    },
    async close() {
      await Promise.all([client.close(), server.close()]);
    },
  };
}

async function listen(
  server: PeerServer,
  at: { readonly host: string; readonly port: number },
  { advertise }: PeerSettings,
): Promise<string> {
  const port = await server.listen(at);
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  return advertise ?? `${host}:${port}`;
}
