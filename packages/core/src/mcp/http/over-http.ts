/** What speaking over HTTP needs; loads when a fleet starts, not with the package. */
export { checkHTTP } from './check-http.js';
export { checkTCP } from './check-tcp.js';
export { HTTPEndpoint } from './http-endpoint.js';
export { openTransport } from './open-transport.js';
export { SSEConnection } from './sse-connection.js';
export { StreamableConnection } from './streamable-connection.js';
