import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server';
import { textResult } from '../samples.js';

const contact = fromJsonSchema({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
});

/** The type of JSON Schema knows no keyword of the protocol's own. */
const repeatedInHeader: object = { type: 'string', 'x-mcp-header': 'Region' };

const region = fromJsonSchema({
  type: 'object',
  properties: { region: repeatedInHeader },
  required: ['region'],
});

/** Tools whose schemas are the point. */
export function registerSchemaTools(server: McpServer): void {
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Its schema uses the whole of JSON Schema 2020-12.', inputSchema: contact },
    (input) => textResult(JSON.stringify(input)),
  );
  server.registerTool(
    'test_custom_header',
    {
      description: 'A modern client repeats the region in the header `Mcp-Param-Region`.',
      inputSchema: region,
    },
    (input) => textResult(JSON.stringify(input)),
  );
}
