import {
  type ElicitRequestFormParams,
  inputRequired,
  inputResponse,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { textResult } from '../samples.js';

type Form = ElicitRequestFormParams['requestedSchema'];

const person: Form = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const everyDefault: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  required: [],
};

const titled = [
  { const: 'value1', title: 'First Option' },
  { const: 'value2', title: 'Second Option' },
  { const: 'value3', title: 'Third Option' },
];

const everyEnum: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
  required: [],
};

/** Tools that put a form before the user. */
export function registerElicitationTools(server: McpServer): void {
  server.registerTool(
    'test_elicitation',
    { description: 'Asks for a name and an address.', inputSchema: z.object({ message: z.string() }) },
    ({ message }, ctx) => ask(ctx, message, person),
  );
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks with a default of each type.' },
    (ctx) => ask(ctx, 'Please review the defaults.', everyDefault),
  );
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: 'Asks with each kind of enumeration.' },
    (ctx) => ask(ctx, 'Please choose.', everyEnum),
  );
}

function ask(
  ctx: ServerContext,
  message: string,
  requestedSchema: Form,
): ReturnType<typeof textResult> | InputRequiredResult {
  const answer = inputResponse(ctx.mcpReq.inputResponses, 'form');
  if (answer.kind !== 'elicit') {
    return inputRequired({ inputRequests: { form: inputRequired.elicit({ message, requestedSchema }) } });
  }
  return textResult(
    `Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`,
  );
}
