import type { JsonSpec, TransportName } from './json-spec.js';

/** Gives how a server is spoken to: as the document says, else over HTTP where it has an address, else over stdio. */
export function resolveTransport(spec: JsonSpec): TransportName {
  if (spec.transport !== undefined) return spec.transport;
  return spec.port !== undefined || spec.endpoint !== undefined ? 'http' : 'stdio';
}
