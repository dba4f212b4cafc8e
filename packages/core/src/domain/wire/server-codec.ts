import type { MCPServer } from '../server/mcp-server.js';
import { count } from './common-schemas.js';
import { serverFields } from './server-fields.js';
import { wireCodec } from './wire-codec.js';

/** Translates servers. */
export const serverCodec = wireCodec<MCPServer>({
  what: 'server',
  schema: serverFields.extend({ resourceVersion: count }),
});
