import { acceptedContent, inputRequired, inputResponse, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { textResult } from '../samples.js';
import { registerElicitationTools } from './elicitation-tools.js';
import { registerRoundTools } from './round-tools.js';

export const nameAnswer = z.object({ name: z.string() });

/**
 * Tools that ask their client for something.
 *
 * Each is written once: a modern client gets `input_required`; for a legacy one the SDK turns the questions into requests of the server.
 */
export function registerInputTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Has the client answer a prompt.', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'sample');
      if (answer.kind === 'sampling')
        return textResult(`LLM response: ${JSON.stringify(answer.result.content)}`);
      return inputRequired({ inputRequests: { sample: question(prompt) } });
    },
  );
  server.registerTool(
    'test_missing_capability',
    { description: 'Works only for a client that declared sampling.' },
    (ctx) => {
      if (inputResponse(ctx.mcpReq.inputResponses, 'sample').kind === 'sampling')
        return textResult('The capability was there.');
      return inputRequired({ inputRequests: { sample: question('Anything.') } });
    },
  );
  server.registerTool(
    'test_input_required_result_elicitation',
    { description: 'Asks for a name.' },
    (ctx) => {
      const answer = acceptedContent(ctx.mcpReq.inputResponses, 'user_name', nameAnswer);
      if (answer !== undefined) return textResult(`Hello, ${answer.name}!`);
      return inputRequired({
        inputRequests: {
          user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: nameAnswer }),
        },
      });
    },
  );
  server.registerTool(
    'test_input_required_result_sampling',
    { description: 'Asks a model for a capital.' },
    (ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'capital_question');
      if (answer.kind === 'sampling') return textResult(JSON.stringify(answer.result.content));
      return inputRequired({
        inputRequests: { capital_question: question('What is the capital of France?') },
      });
    },
  );
  server.registerTool(
    'test_input_required_result_list_roots',
    { description: 'Asks for the roots of the client.' },
    (ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'client_roots');
      if (answer.kind === 'roots') return textResult(answer.roots.map((root) => root.uri).join(' '));
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  );
  registerElicitationTools(server);
  registerRoundTools(server);
}

function question(text: string): ReturnType<typeof inputRequired.createMessage> {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens: 100,
  });
}
