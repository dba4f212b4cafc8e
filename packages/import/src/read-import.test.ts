import { createTestInfra } from '@mcpinfra/core/testing';
import { publicDocument, publicDocuments } from '@mcpinfra/tools';
import { describe, expect, it } from 'vitest';
import { importFleet } from './import-fleet.js';
import { readImport } from './read-import.js';

describe('readImport', () => {
  it('gives what a fleet can apply, and what it needs', async () => {
    const text = publicDocument('registry/github.json');
    const read = readImport(text, { type: 'docker' });
    expect(read).toMatchObject({
      format: 'server.json',
      document: {
        servers: [{ name: 'io.github.github/github-mcp-server', version: '0.24.0' }],
        instances: [],
      },
      needs: [{ instance: 'github-mcp-server', name: 'GITHUB_PERSONAL_ACCESS_TOKEN', secret: true }],
      notCarried: [{ path: '/remotes/0' }],
    });

    const values = { GITHUB_PERSONAL_ACCESS_TOKEN: 'ghp_canary0123456789abcdefgh' };
    const { document, needs } = readImport(text, { values });
    expect(needs).toEqual([]);
    await using t = await createTestInfra();
    expect(await t.infra.apply(document)).toMatchObject({
      created: ['server/io.github.github/github-mcp-server@0.24.0', 'instance/github-mcp-server'],
      errors: [],
    });
    expect(await importFleet(t.infra, text, { values })).toMatchObject({ unchanged: { length: 2 } });
  });

  it('takes the first of several types by which a server can be run', () => {
    const text = publicDocument('registry/github.json');
    const typeOf = (type: NonNullable<Parameters<typeof readImport>[1]>['type']) =>
      readImport(text, { type }).document.servers?.[0]?.jsonSpec;
    expect(typeOf(['process', 'url', 'docker'])).toMatchObject({ type: 'url' });
    expect(typeOf(['process', 'docker', 'url'])).toMatchObject({ type: 'docker' });
    // What cannot be run as any of them is still registered.
    expect(typeOf('process')).toMatchObject({ type: 'docker' });
  });

  it('says of every document what importing it says', async () => {
    await using t = await createTestInfra();
    for (const path of publicDocuments) {
      const text = publicDocument(path);
      const { document, ...read } = readImport(text, { type: 'docker' });
      const { created, updated, unchanged, removed, errors, ...imported } = await importFleet(t.infra, text, {
        dryRun: true,
      });
      expect(imported, path).toEqual(read);
      const names = [created, updated, unchanged, removed, errors.map(({ name }) => name)].flat();
      expect(names, path).toHaveLength((document.servers?.length ?? 0) + (document.instances?.length ?? 0));
    }
  });

  it('refuses options it does not know', () => {
    const text = publicDocument('registry/github.json');
    expect(() => readImport(text, { dryRun: true } as object)).toThrow(
      'readImport() takes no option "dryRun"',
    );
  });
});
