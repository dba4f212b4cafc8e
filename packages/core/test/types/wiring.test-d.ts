import { assertType, describe, expectTypeOf, it } from 'vitest';
import {
  createMCPInfra,
  type EventBus,
  InstanceManager,
  MCPInfra,
  type MCPServerInstance,
} from '@mcpinfra/core';
import type { ContainerSpec, JsonSpec, Provider } from '@mcpinfra/core/plugin';

interface ProcessSpec extends JsonSpec {
  readonly type: 'process';
  readonly command: readonly string[];
  readonly port?: number | undefined;
  readonly cwd?: string | undefined;
}

declare const processes: Provider<ProcessSpec>;
declare const containers: Provider<ContainerSpec>;

const infra = createMCPInfra({ providers: [processes] });
const both = createMCPInfra({ providers: [processes, containers] });

describe('the documents that create() takes', () => {
  it('are those of the providers that are wired', () => {
    expectTypeOf(infra.instances).toEqualTypeOf<InstanceManager<ProcessSpec>>();
    expectTypeOf(both.instances).toEqualTypeOf<InstanceManager<ProcessSpec | ContainerSpec>>();
    assertType<Promise<MCPServerInstance<ProcessSpec>>>(
      infra.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['node', 'server.js'] } }),
    );
    void both.instances.create({ name: 'a', jsonSpec: { type: 'docker', image: 'mcp/filesystem:latest' } });
  });

  it('may leave out the image, which the server names', () => {
    void both.instances.create({ name: 'a', serverSpecId: 'id', jsonSpec: { type: 'docker', port: 8001 } });
  });

  it('refuse the type of a provider that is not wired', () => {
    // @ts-expect-error no provider runs "docker"
    void infra.instances.create({ name: 'a', jsonSpec: { type: 'docker', image: 'mcp/filesystem:latest' } });
  });

  it('refuse a field that the type does not have', () => {
    // @ts-expect-error it is called command
    void infra.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['x'], comand: ['x'] } });
    // @ts-expect-error a process has no image
    void both.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['x'], image: 'mcp/x' } });
  });

  it('refuse a value of the wrong type', () => {
    // @ts-expect-error a port is a number
    void infra.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['x'], port: '80' } });
  });

  it('take a well-formed secret reference and refuse a malformed one', () => {
    const command = ['x'] as const;
    void infra.instances.create({
      name: 'a',
      jsonSpec: {
        type: 'process',
        command,
        environment: { API_KEY: 'secret_ref:instance_123:API_KEY', PLAIN: 'text' },
      },
    });
    void infra.instances.create({
      name: 'a',
      // @ts-expect-error the key is missing
      jsonSpec: { type: 'process', command, environment: { API_KEY: 'secret_ref:instance_123' } },
    });
  });

  it('take an environment that is only known at run time', () => {
    const environment: Record<string, string> = {};
    void infra.instances.create({ name: 'a', jsonSpec: { type: 'process', command: ['x'], environment } });
  });
});

describe('an infra', () => {
  it('is one of any documents, for who takes every infra', () => {
    assertType<MCPInfra>(infra);
    assertType<MCPInfra>(both);
    assertType<MCPInfra['instances']>(both.scope({ tenant: 'a' }).instances);
  });
});

describe('the patches that update() takes', () => {
  it('are of the documents of the providers that are wired', () => {
    void infra.instances.update('id', { jsonSpec: { command: ['node', 'other.js'], cwd: null } });
    void both.instances.update('id', {
      jsonSpec: { image: 'mcp/filesystem:2', lifecycle: { stop_grace: 2 } },
    });
    void both.instances.update('id', { labels: { team: null }, description: 'Better.' });
    const environment: Record<string, string> = {};
    void both.instances.update('id', { jsonSpec: { environment } });
  });

  it('may remove what they do not replace', () => {
    void both.instances.update('id', {
      jsonSpec: { port: null, lifecycle: { idle_timeout: null }, environment: { MODE: null } },
    });
  });

  it('refuse a field that no wired type has', () => {
    // @ts-expect-error a process has no image
    void infra.instances.update('id', { jsonSpec: { image: 'mcp/x' } });
    // @ts-expect-error it is called image
    void both.instances.update('id', { jsonSpec: { imagee: 'mcp/x' } });
    // @ts-expect-error it is called stop_grace
    void both.instances.update('id', { jsonSpec: { lifecycle: { stop_grce: 2 } } });
    // @ts-expect-error the name cannot be changed
    void both.instances.update('id', { name: 'b' });
  });

  it('refuse a value of the wrong type', () => {
    // @ts-expect-error a port is a number
    void both.instances.update('id', { jsonSpec: { port: '80' } });
    // @ts-expect-error variables are texts
    void both.instances.update('id', { jsonSpec: { environment: { MODE: 1 } } });
  });

  it('refuse a value that no one wired type has there, though several types are wired', () => {
    // @ts-expect-error a command is a list, and containers have none
    void both.instances.update('id', { jsonSpec: { command: 'node other.js' } });
    // @ts-expect-error a document is of one type: a process has no image
    void both.instances.update('id', { jsonSpec: { cwd: '/srv', image: 'mcp/x' } });
  });

  it('refuse a malformed reference', () => {
    void both.instances.update('id', {
      jsonSpec: { environment: { API_KEY: 'secret_ref:instance_123:API_KEY' } },
    });
    // @ts-expect-error the key is missing
    void both.instances.update('id', { jsonSpec: { environment: { API_KEY: 'secret_ref:instance_123' } } });
  });
});

describe('events', () => {
  it('carry the data of their type', () => {
    infra.events.on('MCPServerInstanceStatusChanged', ({ data }) => {
      expectTypeOf(data.restartCount).toBeNumber();
    });
    infra.events.on('MCPServerDeleted', ({ data }) => {
      expectTypeOf(data.serverId).toBeString();
    });
  });

  it('refuse an unknown name', () => {
    // @ts-expect-error there is no such event
    infra.events.on('MCPServerInstanceExploded', () => undefined);
  });
});

describe('the ports', () => {
  it('are exported by their names', () => {
    expectTypeOf<EventBus['specificationVersion']>().toEqualTypeOf<'v1'>();
  });
});

it('leaves making what belongs to a fleet to createMCPInfra', () => {
  // @ts-expect-error -- made by createMCPInfra
  expectTypeOf(new InstanceManager()).toBeObject();
  // @ts-expect-error -- made by createMCPInfra
  expectTypeOf(new MCPInfra()).toBeObject();
});

it('gives a page by list(), and rows by all()', () => {
  const { instances } = infra;
  expectTypeOf(instances.list()).resolves.toHaveProperty('nextCursor');
  expectTypeOf(instances.all()).not.toHaveProperty('then');
});
