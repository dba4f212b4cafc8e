import { expect, it } from 'vitest';
import type { Event, MCPServer } from '../index.js';
import { eventCodec } from '../plugin.js';
import { createTestInfra } from './create-test-infra.js';

/** The registry that the log tells of. */
function fold(events: readonly Event[]): Map<string, MCPServer> {
  const servers = new Map<string, MCPServer>();
  for (const { type, data, subject, resourceVersion } of events) {
    if (type === 'MCPServerDeleted') servers.delete(subject);
    if (type !== 'MCPServerCreated' && type !== 'MCPServerUpdated') continue;
    if (data.definition !== undefined) servers.set(subject, { ...data.definition, resourceVersion });
  }
  return servers;
}

it('is rebuilt from the log alone, also from what a bus carries', async () => {
  await using t = await createTestInfra();
  const { servers } = t.infra;
  const files = await servers.register({
    name: 'files',
    description: 'Reads files.',
    dockerImageUrl: 'mcp/files:1',
    tags: ['a', 'b'],
    labels: { team: 'x' },
    envSchema: [{ name: 'API_KEY', type: 'string', required: true, secret: true, choices: ['one', 'two'] }],
    jsonSpec: {
      type: 'docker',
      health_check: { type: 'mcp' },
      environment: { API_KEY: 'secret_ref:a:API_KEY' },
    },
  });
  const gone = await servers.register({ name: 'gone', dockerImageUrl: 'mcp/a' });
  await t.infra
    .scope({ tenant: 't' })
    .servers.register({ name: 'own', isPublic: false, dockerImageUrl: 'mcp/a' });
  await servers.update(
    files.id,
    { description: 'Reads and writes.', jsonSpec: { port: 80 } },
    { rollout: 'rolling' },
  );
  await servers.update(files.id, { status: 'deprecated' });
  await servers.delete(gone.id);
  await t.settle();
  const rows = new Map<string, MCPServer>();
  for (const row of (await servers.list({ limit: 100 })).items) rows.set(row.id, row);
  const log = t.recordedEvents();
  expect(fold(log)).toEqual(rows);
  expect(rows.size).toBe(2);
  const carried = log.map((event) => eventCodec.decode(JSON.parse(JSON.stringify(eventCodec.encode(event)))));
  expect(fold(carried)).toEqual(rows);
});

it('is told of by an event of an earlier version, too, which does not carry the definition', async () => {
  await using t = await createTestInfra();
  await t.infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
  await t.settle();
  const [event] = t.recordedEvents('MCPServerCreated');
  if (event === undefined) throw new Error('There is no event.');
  const { definition: _absent, ...data } = event.data;
  const earlier = { ...event, data };
  expect(eventCodec.decode(eventCodec.encode(earlier))).toEqual(earlier);
});
