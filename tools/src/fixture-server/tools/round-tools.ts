import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type InputRequests,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { requestState } from '../request-state.js';
import { textResult } from '../samples.js';

const confirmation = z.object({ ok: z.boolean() });
const name = z.object({ name: z.string() });
const color = z.object({ color: z.string() });

/** Tools that take several rounds and remember, in signed state, which round it is. */
export function registerRoundTools(server: McpServer): void {
  for (const tool of [
    'test_input_required_result_request_state',
    'test_input_required_result_tampered_state',
  ]) {
    server.registerTool(tool, { description: 'Completes only with the state it gave.' }, async (ctx) => {
      if (ctx.mcpReq.requestState<{ round: number }>()?.round === 1) return textResult('state-ok');
      return inputRequired({
        inputRequests: {
          confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: confirmation }),
        },
        requestState: await requestState.mint({ round: 1 }),
      });
    });
  }
  server.registerTool(
    'test_input_required_result_multi_round',
    { description: 'Asks twice, one after the other.' },
    async (ctx) => {
      const round = ctx.mcpReq.requestState<{ round: number }>()?.round ?? 0;
      if (round >= 2) return textResult('Both answers arrived.');
      return inputRequired({
        inputRequests:
          round === 0
            ? {
                step1: inputRequired.elicit({ message: 'Step 1: What is your name?', requestedSchema: name }),
              }
            : {
                step2: inputRequired.elicit({
                  message: 'Step 2: What is your favorite color?',
                  requestedSchema: color,
                }),
              },
        requestState: await requestState.mint({ round: round + 1 }),
      });
    },
  );
  server.registerTool(
    'test_input_required_result_multiple_inputs',
    { description: 'Asks for three things at once.' },
    async (ctx) => {
      const answers = ctx.mcpReq.inputResponses ?? {};
      const questions = allQuestions();
      if (Object.keys(questions).every((key) => key in answers)) return textResult('All answers arrived.');
      return inputRequired({ inputRequests: questions, requestState: await requestState.mint({ round: 1 }) });
    },
  );
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks only what the client can answer.' },
    (ctx) => {
      if (ctx.mcpReq.inputResponses !== undefined) return textResult('Answered.');
      const { user_name, greeting, client_roots } = allQuestions();
      const declared = declaredCapabilities(server, ctx);
      const inputRequests: InputRequests = {
        ...('elicitation' in declared && { user_name }),
        ...('sampling' in declared && { greeting }),
        ...('roots' in declared && { client_roots }),
      };
      return Object.keys(inputRequests).length > 0
        ? inputRequired({ inputRequests })
        : textResult('Nothing to ask.');
    },
  );
}

function allQuestions(): InputRequests {
  return {
    user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: name }),
    greeting: inputRequired.createMessage({
      messages: [{ role: 'user', content: { type: 'text', text: 'Generate a greeting' } }],
      maxTokens: 50,
    }),
    client_roots: inputRequired.listRoots(),
  };
}

/** A modern client declares them with each request, a legacy one once for its connection. */
function declaredCapabilities(server: McpServer, ctx: ServerContext): object {
  const envelope: Record<string, unknown> = { ...ctx.mcpReq.envelope };
  const declared = envelope[CLIENT_CAPABILITIES_META_KEY];
  if (typeof declared === 'object' && declared !== null) return declared;
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the legacy era has no other accessor
  return server.server.getClientCapabilities() ?? {};
}
