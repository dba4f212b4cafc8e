/** What speaking over standard streams needs; loads when a fleet starts, not with the package. */
export { StdioConnection } from './stdio-connection.js';
export { StdioMultiplexer } from './stdio-multiplexer.js';
