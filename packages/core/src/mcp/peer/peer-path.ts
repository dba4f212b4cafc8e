import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { PeerCopy, PeerLogs } from '../../ports/peer-link.js';

/** The protocol that a connection between peers is upgraded to; another version is another name. */
export const peerProtocol = 'mcpinfra/1';

const parts = /^\/(?<what>stdio|logs)\/(?<id>[^/?]+)(?:\/(?<revision>\d{1,15}))?(?:\?(?<query>.*))?$/u;
const whole = /^\d{1,15}$/u;

/** What a peer asks for. */
export type PeerRequest =
  { readonly what: 'stdio'; readonly copy: PeerCopy } | { readonly what: 'logs'; readonly logs: PeerLogs };

/** Writes a request as a path. */
export function formatPeerPath(request: PeerRequest): string {
  if (request.what === 'stdio') {
    const { instanceId, revision } = request.copy;
    return `/stdio/${encodeURIComponent(instanceId)}/${revision}`;
  }
  const { instanceId, query } = request.logs;
  const asked = new URLSearchParams();
  if (query.tail !== undefined) asked.set('tail', String(query.tail));
  if (query.follow === true) asked.set('follow', 'true');
  return `/logs/${encodeURIComponent(instanceId)}?${asked.toString()}`;
}

/** Reads a path that a peer wrote. @throws `INVALID_ARGUMENT` */
export function parsePeerPath(path: string): PeerRequest {
  const { what, id, revision, query } = parts.exec(path)?.groups ?? {};
  const asked = new URLSearchParams(query);
  const instanceId = decoded(id);
  const tail = asked.get('tail');
  if (instanceId !== '' && what === 'stdio' && revision !== undefined) {
    return { what, copy: { instanceId, revision: Number(revision) } };
  }
  if (instanceId !== '' && what === 'logs' && revision === undefined && (tail === null || whole.test(tail))) {
    const follow = asked.get('follow') === 'true';
    return { what, logs: { instanceId, query: tail === null ? { follow } : { tail: Number(tail), follow } } };
  }
  throw mcpError(
    'INVALID_ARGUMENT',
    `Expected /stdio/<instance>/<revision> or /logs/<instance>, got ${JSON.stringify(path.slice(0, 200))}.`,
  );
}

/** Takes the escapes out; nothing where they are wrong. */
function decoded(text = ''): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
