import { expect, it } from 'vitest';
import { memorySecrets } from '../index.js';
import { sharedFleet } from '../../test/support/shared-fleet.js';

// What the engine is not given as a variable, it cannot take out of the lines by itself.
const jsonSpec = {
  type: 'docker',
  image: 'mcp/test',
  health_check: { type: 'none' },
  registry: { username: 'me', password: 'secret_ref:vault:PASSWORD' },
} as const;

it.each(['logs', 'the reason of an exit'])(
  'a process that did not start a copy keeps its values out of %s',
  async (what) => {
    await using fleet = sharedFleet();
    const secrets = memorySecrets({ 'vault:PASSWORD': 'canary-value' });
    const first = await fleet.join({ secrets: [secrets] });
    const { id } = await first.infra.instances.create({ name: 'one', jsonSpec });
    await fleet.advance(1_000);
    first.kill();
    const { infra } = await fleet.join({ secrets: [secrets] });
    await fleet.advance(20_000);
    expect((await infra.instances.get(id)).status).toBe('running');
    fleet.engine.crash('one', { lines: ['dying with canary-value'] });
    if (what === 'logs') {
      const lines: string[] = [];
      for await (const { text } of infra.instances.logs(id, { tail: 1 })) lines.push(text);
      expect(lines).toEqual(['dying with [secret]']);
    }
    await fleet.advance(1_000);
    const row = await infra.instances.get(id);
    expect(row.statusDetail.lastExit?.lastLogLines).toContain('dying with [secret]');
    expect(JSON.stringify(await fleet.store.events.read({ after: 0, limit: 1_000 }))).not.toContain('canary');
  },
);
