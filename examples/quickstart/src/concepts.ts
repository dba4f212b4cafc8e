// The code of docs/guide/concepts.md. It is compiled, and test/getting-started.test.ts runs it.

import type { DurableSubscription, Event, MCPInfra, MCPInfraScope } from '@mcpinfra/core';
import type { ProcessSpec } from '@mcpinfra/provider-process';

type Infra = MCPInfra<ProcessSpec>;

/** Makes a definition and an instance of it. */
export async function makeInstance(infra: Infra, script: string): Promise<string> {
  //#region server-and-instance
  const server = await infra.servers.ensure({
    name: 'everything',
    envSchema: [{ name: 'LOG_LEVEL', choices: ['info', 'debug'], default: 'info' }],
    jsonSpec: { lifecycle: { stop_grace: 2 } }, // merged under the document of each instance
  });
  const { id, slug } = await infra.instances.ensure({
    name: 'everything 1',
    serverSpecId: server.id,
    jsonSpec: { type: 'process', command: ['node', script] },
  });
  console.log(slug); // everything-1-<8 hex>, stable for its life
  //#endregion
  return id;
}

/** Stops and starts. */
export async function wish(infra: Infra, id: string): Promise<void> {
  //#region desired-state
  await infra.instances.stop(id); // the wish is durable
  await infra.instances.waitFor(id, 'stopped');
  await infra.instances.start(id, { wait: true }); // the wish has come true
  //#endregion
}

/** Handles every event. */
export async function subscribe(
  infra: Infra,
  write: (event: Event) => Promise<void>,
): Promise<DurableSubscription> {
  //#region subscribe
  const subscription = await infra.events.subscribe(
    { group: 'audit', from: 'beginning', types: ['MCPServerInstanceCreated', 'MCPServerInstanceDeleted'] },
    async (event) => {
      await write(event); // a rejection: the same event again, after a while
    },
  );
  //#endregion
  return subscription;
}

/** Looks after groups. */
export async function lookAfterGroups(infra: Infra): Promise<void> {
  //#region groups
  for (const { group, behind, deadLetters } of await infra.events.groups.list()) {
    console.log(`${group}: ${behind} events behind, ${deadLetters} given up`);
  }
  await infra.events.groups.seek('audit', 'beginning'); // or 'now', or a position
  await infra.events.groups.delete('old');
  //#endregion
}

/** Reads events without a group. */
export async function read(
  infra: Infra,
  show: (event: Event) => Promise<void>,
  { lastPosition, signal }: { readonly lastPosition: number; readonly signal: AbortSignal },
): Promise<void> {
  //#region read
  for await (const event of infra.events.read({ after: lastPosition, signal })) {
    await show(event); // event.position is where to go on
  }
  //#endregion
}

/** The fleet as a tenant sees it. */
export function tenant(infra: Infra): MCPInfraScope<ProcessSpec> {
  //#region tenant
  const team = infra.scope({ tenant: 'team-a' }); // servers, instances, environment, events, apply: of this tenant
  //#endregion
  return team;
}
