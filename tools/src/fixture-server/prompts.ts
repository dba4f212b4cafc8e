import {
  acceptedContent,
  completable,
  inputRequired,
  type McpServer,
  type RegisteredPrompt,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { FixtureState } from './fixture-state.js';
import { redPixel, textPart } from './samples.js';

const suggestions = ['test', 'testing', 'tests', 'paris', 'park', 'party'];
const contextAnswer = z.object({ context: z.string() });

export function registerPrompts(server: McpServer, state: FixtureState): { toggledPrompt: RegisteredPrompt } {
  server.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments.' }, () => ({
    messages: [{ role: 'user', content: textPart('This is a simple prompt for testing.') }],
  }));

  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'A prompt that repeats its two arguments; both complete.',
      argsSchema: z.object({ arg1: suggested('First argument.'), arg2: suggested('Second argument.') }),
    },
    ({ arg1, arg2 }) => ({
      messages: [
        { role: 'user', content: textPart(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`) },
      ],
    }),
  );

  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    {
      description: 'A prompt that embeds the named resource.',
      argsSchema: z.object({ resourceUri: z.string() }),
    },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: {
              uri: resourceUri,
              mimeType: 'text/plain',
              text: 'Embedded resource content for testing.',
            },
          },
        },
        { role: 'user', content: textPart('Please process the embedded resource above.') },
      ],
    }),
  );

  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with a picture.' }, () => ({
    messages: [
      { role: 'user', content: redPixel },
      { role: 'user', content: textPart('Please analyze the image above.') },
    ],
  }));

  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks for its context first.' },
    (ctx) => {
      const answer = acceptedContent(ctx.mcpReq.inputResponses, 'user_context', contextAnswer);
      if (answer !== undefined)
        return { messages: [{ role: 'user', content: textPart(`Context: ${answer.context}`) }] };
      return inputRequired({
        inputRequests: {
          user_context: inputRequired.elicit({
            message: 'What context should the prompt use?',
            requestedSchema: contextAnswer,
          }),
        },
      });
    },
  );

  const toggledPrompt = server.registerPrompt(
    'test_dynamic_prompt',
    { description: 'Listed after each odd toggle.' },
    () => ({
      messages: [{ role: 'user', content: textPart('Now you see me.') }],
    }),
  );
  if (!state.promptShown) toggledPrompt.disable();
  return { toggledPrompt };
}

function suggested(description: string): z.ZodString {
  return completable(z.string().describe(description), (typed) =>
    suggestions.filter((word) => word.startsWith(typed)),
  );
}
