import type { McpServer, RegisteredTool } from '@modelcontextprotocol/server';
import type { FixtureState } from '../fixture-state.js';
import { watchedResource } from '../resources.js';
import { textResult } from '../samples.js';

/** Tools that change what the server lists. */
export function registerListTools(server: McpServer, state: FixtureState): { toggledTool: RegisteredTool } {
  server.registerTool('list_changed', { description: 'Adds a tool and returns its name.' }, () =>
    textResult(state.addTool()),
  );
  server.registerTool('touch', { description: 'Changes the watched resource.' }, () => {
    state.updateWatchedResource(watchedResource);
    return textResult(`revision ${state.watchedRevision}`);
  });
  server.registerTool(
    'test_trigger_tool_change',
    { description: 'Shows or hides `test_dynamic_tool`.' },
    () => {
      state.toggleTool();
      return textResult(state.toolShown ? 'shown' : 'hidden');
    },
  );
  server.registerTool(
    'test_trigger_prompt_change',
    { description: 'Shows or hides `test_dynamic_prompt`.' },
    () => {
      state.togglePrompt();
      return textResult(state.promptShown ? 'shown' : 'hidden');
    },
  );
  const toggledTool = server.registerTool(
    'test_dynamic_tool',
    { description: 'Listed after each odd toggle.' },
    () => textResult('Now you see me.'),
  );
  if (!state.toolShown) toggledTool.disable();
  for (const name of state.addedTools) registerAddedTool(server, name);
  return { toggledTool };
}

export function registerAddedTool(server: McpServer, name: string): void {
  server.registerTool(name, { description: 'Added at run time; returns its name.' }, () => textResult(name));
}
