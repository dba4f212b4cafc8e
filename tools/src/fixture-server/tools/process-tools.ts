import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { FixtureState } from '../fixture-state.js';
import { textResult } from '../samples.js';
import { sleep } from './sleep.js';

/** Tools that show, and abuse, the process behind the server. */
export function registerProcessTools(server: McpServer, state: FixtureState): void {
  server.registerTool(
    'echo',
    { description: 'Returns its text.', inputSchema: z.object({ text: z.string() }) },
    ({ text }) => textResult(text),
  );
  server.registerTool(
    'env',
    {
      description: 'Returns the value of an environment variable.',
      inputSchema: z.object({ name: z.string() }),
    },
    ({ name }) => textResult(process.env[name] ?? `${name} is unset`),
  );
  server.registerTool('pid', { description: 'Returns the process id.' }, () =>
    textResult(String(process.pid)),
  );
  server.registerTool(
    'counter',
    { description: 'Returns 1, then 2, and so on, for as long as the process lives.' },
    () => textResult(String(state.nextCount())),
  );
  server.registerTool(
    'big',
    {
      description: 'Returns a text of so many bytes.',
      inputSchema: z.object({ bytes: z.int().nonnegative() }),
    },
    ({ bytes }) => textResult('x'.repeat(bytes)),
  );
  server.registerTool(
    'sleep',
    {
      description: 'Waits, telling its progress; ends early when cancelled.',
      inputSchema: z.object({ ms: z.number().nonnegative() }),
    },
    async ({ ms }, ctx) => {
      await sleep(ms, { ctx, state });
      return textResult(`slept ${ms} ms`);
    },
  );
  server.registerTool(
    'cancellations',
    { description: 'Returns how many calls of `sleep` were cancelled.' },
    () => textResult(String(state.cancellations)),
  );
  server.registerTool(
    'crash',
    {
      description: 'Ends the process without an answer.',
      inputSchema: z.object({ code: z.int().min(0).max(255) }),
    },
    ({ code }) => {
      process.stderr.write(`crash: exiting with code ${code}\n`);
      process.exit(code);
    },
  );
  server.registerTool(
    'grow',
    { description: 'Takes memory and keeps it.', inputSchema: z.object({ megabytes: z.int().positive() }) },
    ({ megabytes }) => textResult(`holding ${state.grow(megabytes)} MB`),
  );
}
