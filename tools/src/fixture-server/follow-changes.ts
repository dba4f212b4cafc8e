import type { McpServer, RegisteredPrompt, RegisteredTool } from '@modelcontextprotocol/server';
import type { FixtureState } from './fixture-state.js';
import type { ResourceSubscriptions } from './resources.js';
import { registerAddedTool } from './tools/list-tools.js';

interface Followed {
  readonly state: FixtureState;
  readonly lists: { readonly toggledTool: RegisteredTool; readonly toggledPrompt: RegisteredPrompt };
  readonly subscriptions: ResourceSubscriptions;
}

/** Repeats each change of the process on one open connection, until it closes. The SDK notifies the client of changed lists. */
export function followChanges(server: McpServer, { state, lists, subscriptions }: Followed): void {
  const unfollow = state.onChange((change) => {
    switch (change.kind) {
      case 'tool-added':
        registerAddedTool(server, change.name);
        return;
      case 'tool-toggled':
        lists.toggledTool.update({ enabled: state.toolShown });
        return;
      case 'prompt-toggled':
        lists.toggledPrompt.update({ enabled: state.promptShown });
        return;
      case 'resource-updated':
        if (!subscriptions.includes(change.uri)) return;
        // A client that hangs up at this moment needs no news.
        server.server.sendResourceUpdated({ uri: change.uri }).catch(() => undefined);
        return;
    }
  });
  server.server.onclose = unfollow;
}
