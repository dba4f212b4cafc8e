import { inputRequired, type McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { setTimeout as delay } from 'node:timers/promises';
import { textResult } from '../samples.js';
import { notifyProgress } from './sleep.js';
import { nameAnswer } from './input-tools.js';

/** Tools that send something before their answer. */
export function registerStreamTools(server: McpServer): void {
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Reports 0, 50 and 100 of 100.' },
    async (ctx) => {
      await notifyProgress(ctx, 0, 100);
      await delay(50);
      await notifyProgress(ctx, 50, 100);
      await delay(50);
      await notifyProgress(ctx, 100, 100);
      return textResult('Progress reported.');
    },
  );
  server.registerTool('test_tool_with_logging', { description: 'Logs three lines.' }, async (ctx) => {
    await log(ctx, 'Tool execution started');
    await delay(50);
    await log(ctx, 'Tool processing data');
    await delay(50);
    await log(ctx, 'Tool execution completed');
    return textResult('Three lines logged.');
  });
  server.registerTool(
    'test_logging_tool',
    { description: 'Logs one line, to a caller that asked for lines.' },
    async (ctx) => {
      await log(ctx, 'One line');
      return textResult('One line logged.');
    },
  );
  server.registerTool(
    'test_streaming_elicitation',
    { description: 'Asks for a name on an open stream.' },
    async (ctx) => {
      await notifyProgress(ctx, 0, 1);
      return inputRequired({
        inputRequests: {
          user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: nameAnswer }),
        },
      });
    },
  );
  server.registerTool(
    'test_reconnection',
    { description: 'Closes its event stream before it answers.' },
    async (ctx) => {
      ctx.http?.closeSSE?.();
      await delay(100);
      return textResult('Answered after the stream was closed.');
    },
  );
}

function log(ctx: ServerContext, line: string): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- clients of both eras still ask for log messages
  return ctx.mcpReq.log('info', line);
}
