import { z } from 'zod';
import type { MCPServerInstance } from '../instance/mcp-server-instance.js';
import { instanceFields } from './instance-fields.js';
import { wireCodec } from './wire-codec.js';

/** Translates instances as they are shown. */
export const instanceCodec = wireCodec<MCPServerInstance>({
  what: 'instance',
  schema: z.object(instanceFields),
});
