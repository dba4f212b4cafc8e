import { parseJsonSpec } from '@mcpinfra/core/plugin';
import { processProvider, type ProcessProviderOptions } from '@mcpinfra/provider-process';
import { describe, expect, it } from 'vitest';
import { openFleet } from './fleet.js';

function issuesOf(options: ProcessProviderOptions, document: object) {
  const { specSchema } = processProvider(options);
  const result = parseJsonSpec({ type: 'process', ...document }, new Map([['process', specSchema]]));
  return result.ok ? [] : result.issues.map(({ path, code }) => [path, code]);
}

describe('options', () => {
  it.each([
    [{ allowComands: ['node'] }, 'allowComands'],
    [{ allowCommands: 'node' }, 'allowCommands'],
    [{ env: [''] }, 'env'],
    [{ maxMemory: 'lots' }, 'maxMemory'],
    [{ maxPids: 0 }, 'maxPids'],
    [{ defaultMemory: '2g', maxMemory: '1g' }, 'defaultMemory'],
    [{ defaultPids: 20, maxPids: 10 }, 'defaultPids'],
    [{ placement: '' }, 'placement'],
  ])('%o are refused, naming %s', (options, name) => {
    const make = () => processProvider(options as ProcessProviderOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(make).toThrow(name);
  });

  it('refuse commands that the host does not allow, in the document and at the start', async () => {
    const options = { allowCommands: ['node'] };
    expect(issuesOf(options, { command: ['node', 'server.js'] })).toEqual([]);
    expect(issuesOf(options, { command: ['bash', '-c', 'node'] })).toEqual([['/command/0', 'not_a_choice']]);
    expect(issuesOf(options, { command: ['/tmp/node'] })).toEqual([['/command/0', 'not_a_choice']]);
    const fleet = await openFleet(options);
    const allowed = fleet.request({ command: ['node'] });
    const start = fleet.provider.ensureRunning({
      ...allowed,
      spec: { ...allowed.spec, command: ['sleep', '60'] },
    });
    await expect(start).rejects.toMatchObject({ code: 'INVALID_SPEC' });
  });

  it('refuse what is over a maximum, every fault at once', () => {
    const options = { maxMemory: '256m', maxPids: 50 };
    const command = ['node'];
    expect(issuesOf(options, { command, resources: { memory_limit: '256m', pids_limit: 50 } })).toEqual([]);
    expect(issuesOf(options, { command, resources: { memory_limit: '1g', pids_limit: 51 } })).toEqual([
      ['/resources/memory_limit', 'over_limit'],
      ['/resources/pids_limit', 'over_limit'],
    ]);
  });

  it('fill in the limits a document leaves out', () => {
    const parse = (options: ProcessProviderOptions) =>
      processProvider(options).specSchema.parse({ type: 'process', command: ['node'] }).resources;
    expect(parse({})).toEqual({ memory_limit: '512m', pids_limit: 256 });
    expect(parse({ maxMemory: '100m', maxPids: 9 })).toEqual({ memory_limit: '100m', pids_limit: 9 });
    expect(parse({ defaultMemory: '2g', defaultPids: 9 })).toEqual({ memory_limit: '2g', pids_limit: 9 });
  });
});

describe('a provider', () => {
  it('refuses fields that no process has', () => {
    expect(issuesOf({}, { command: ['node'], image: 'x' })).toEqual([['/image', 'unknown_field']]);
  });

  it('names the machine as the place of its servers, unless the host names one', async () => {
    const { provider } = await openFleet();
    expect(await provider.placement()).toMatch(/^machine:[0-9a-f]{16}$/);
    expect(await provider.placement()).toBe(await processProvider().placement());
    expect(await processProvider({ placement: 'blue' }).placement()).toBe('machine:blue');
  });

  it('says what it needs', async () => {
    const { provider } = await openFleet();
    const found = await provider.doctor();
    expect(found.map(({ name, ok }) => [name, ok])).toEqual([
      ['process table', true],
      ['max processes', true],
      ['max open files', true],
    ]);
  });

  it('that was not opened says so', async () => {
    const copy = { instanceId: 'i', revision: 1, slug: 's' };
    await expect(processProvider().observe(copy)).rejects.toMatchObject({ code: 'NOT_STARTED' });
    await processProvider().close();
  });
});
