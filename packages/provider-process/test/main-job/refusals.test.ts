import { describe, expect, it } from 'vitest';
import { bearersOf, fixture, rejection, startHost } from './support.js';

const command = fixture();
const issuesOf = (error: { details: Readonly<Record<string, unknown>> }) =>
  error.details['issues'] as { path: string; code: string; message: string }[];

describe('what is refused', () => {
  it.each([
    [
      'an unknown type',
      { type: 'proces', command },
      '/jsonSpec/type',
      'unknown_type',
      /did you mean "process"/i,
    ],
    ['no type', { command }, '/jsonSpec/type', 'required', /process/],
    ['port 0', { type: 'process', command, port: 0 }, '/jsonSpec/port', 'out_of_range', /65535/],
    ['port 65536', { type: 'process', command, port: 65536 }, '/jsonSpec/port', 'out_of_range', /65535/],
    ['port 80.5', { type: 'process', command, port: 80.5 }, '/jsonSpec/port', 'wrong_type', /80\.5/],
    ['port true', { type: 'process', command, port: true }, '/jsonSpec/port', 'wrong_type', /true/],
    [
      'an unknown field',
      { type: 'process', command, enviroment: {} },
      '/jsonSpec/enviroment',
      'unknown_field',
      /did you mean "environment"/i,
    ],
    [
      'both cmd and command',
      { type: 'process', command, cmd: ['x'] },
      '/jsonSpec/cmd',
      'conflict',
      /command/,
    ],
    [
      'a misplaced reference',
      { type: 'process', command: [...command, 'secret_ref:a:B'] },
      '/jsonSpec/command/3',
      'misplaced_reference',
      /environment/,
    ],
    [
      'a malformed reference',
      { type: 'process', command, environment: { A: 'secret_ref:b' } },
      '/jsonSpec/environment/A',
      'malformed_reference',
      /secret_ref:<scope>:<KEY>/,
    ],
    [
      'a number as a variable',
      { type: 'process', command, environment: { A: 1 } },
      '/jsonSpec/environment/A',
      'wrong_type',
      /text/,
    ],
  ])('%s', async (_what, jsonSpec, path, code, message) => {
    const { infra, fleet, events } = await startHost();
    const error = await rejection(infra.instances.create({ name: 'a', jsonSpec } as never));
    expect(error).toMatchObject({ code: 'INVALID_SPEC', category: 'config' });
    const found = issuesOf(error).find((issue) => issue.path === path);
    expect(found, JSON.stringify(issuesOf(error))).toMatchObject({ code });
    expect(found?.message).toMatch(message);
    expect(await infra.instances.count()).toBe(0);
    expect(events).toEqual([]);
    expect(bearersOf(fleet)).toEqual([]);
  });

  it('every error of a document and its environment at once, and validate() says the same', async () => {
    const { infra } = await startHost();
    const { id: serverSpecId } = await infra.servers.register({
      name: 'github',
      envSchema: [
        { name: 'GITHUB_PERSONAL_ACCESS_TOKEN', required: true, secret: true },
        { name: 'GITHUB_API_URL', default: 'https://api.github.com', required: true },
        { name: 'PAGE_SIZE', type: 'integer' },
        { name: 'MODE', choices: ['read', 'write'] },
      ],
    });
    const input = {
      name: '',
      serverSpecId,
      lable: {},
      jsonSpec: {
        type: 'process',
        command,
        cmd: ['x'],
        port: 0,
        environment: { PAGE_SIZE: 'many', MODE: 'delete', OTHER: 'x' },
      },
    };
    const error = await rejection(infra.instances.create(input as never));
    const paths = issuesOf(error).map((issue) => issue.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        '/name',
        '/lable',
        '/jsonSpec/cmd',
        '/jsonSpec/port',
        '/jsonSpec/environment/GITHUB_PERSONAL_ACCESS_TOKEN',
        '/jsonSpec/environment/PAGE_SIZE',
        '/jsonSpec/environment/MODE',
        '/jsonSpec/environment/OTHER',
      ]),
    );
    expect(paths).not.toContain('/jsonSpec/environment/GITHUB_API_URL');
    expect(error.message).toContain('GITHUB_PERSONAL_ACCESS_TOKEN');
    const validated = await infra.instances.validate(input);
    expect(validated.valid).toBe(false);
    expect(validated.issues.map((issue) => issue.path).sort()).toEqual([...paths].sort());
    expect(await infra.instances.count()).toBe(0);
  });

  it('a duplicate name, while the first one goes on', async () => {
    const { infra, create } = await startHost();
    const id = await create({ command }, 'fs 1');
    const error = await rejection(
      infra.instances.create({ name: 'fs 1', jsonSpec: { type: 'process', command } }),
    );
    expect(error.code).toBe('ALREADY_EXISTS');
    expect(error.message).toContain('fs 1');
    expect((await infra.instances.list()).items.map((instance) => instance.id)).toEqual([id]);
  });

  it('more instances than the limit: of 20 at once exactly 5 are made', async () => {
    const { infra } = await startHost({ limits: { maxInstances: 5 } });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        infra.instances.create({
          name: `i-${i}`,
          desiredState: 'stopped',
          jsonSpec: { type: 'process', command },
        }),
      ),
    );
    const refused = outcomes.flatMap((o) =>
      o.status === 'rejected' ? [o.reason as { code: string; message: string }] : [],
    );
    expect(outcomes.length - refused.length).toBe(5);
    expect(new Set(refused.map((error) => error.code))).toEqual(new Set(['LIMIT_EXCEEDED']));
    expect(refused[0]?.message).toMatch(/5/);
    expect(await infra.instances.count()).toBe(5);
    const [first] = (await infra.instances.list()).items;
    await infra.instances.delete(first?.id ?? '', { wait: true });
    await infra.instances.create({
      name: 'again',
      desiredState: 'stopped',
      jsonSpec: { type: 'process', command },
    });
  });

  it('an instance of a server that is a draft, and a server that is in use', async () => {
    const { infra } = await startHost();
    const server = await infra.servers.register({ name: 'fixture', status: 'draft' });
    const make = () =>
      infra.instances.create({
        name: 'a',
        serverSpecId: server.id,
        desiredState: 'stopped',
        jsonSpec: { type: 'process', command },
      });
    await expect(make()).rejects.toMatchObject({ code: 'SERVER_NOT_ACTIVE' });
    await infra.servers.update(server.id, { status: 'active' });
    const { id } = await make();
    const error = await rejection(infra.servers.delete(server.id));
    expect(error).toMatchObject({ code: 'SERVER_IN_USE', details: { instances: [{ id, name: 'a' }] } });
    await infra.servers.delete(server.id, { cascade: true });
    await infra.instances.waitFor(id, () => false).catch(() => undefined);
    expect(await infra.instances.count()).toBe(0);
  });
});
