import { assertType, describe, expectTypeOf, it } from 'vitest';
import { createMCPInfra, type EventBus, type InstanceManager, type MCPServerInstance } from '@mcpinfra/core';
import type { ContainerSpec, JsonSpec, Provider } from '@mcpinfra/core/plugin';

interface ProcessSpec extends JsonSpec {
  readonly type: 'process';
  readonly command: readonly string[];
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
