import type { ProviderHarness } from '@mcpinfra/conformance/provider';
import { type Provider, type ProviderContext, revealText } from '@mcpinfra/core/plugin';
import { type FakeProvider, fakeProvider } from '@mcpinfra/core/testing';
import { local, remote } from './fake-kinds.js';

const serving = {
  docker: { type: 'docker', image: 'mcp/test' },
  local: { type: 'local', command: ['mcp-test'] },
  remote: { type: 'remote', endpoint: 'https://mcp.example/mcp' },
} as const;

const lines = ['one', 'two', 'three'];

/** What the suite needs of a fake. What its servers do is up to a test, not to their documents: here a label says it. */
export function fakeProviderHarness(type: keyof typeof serving): ProviderHarness {
  const fake: FakeProvider = {
    docker: fakeProvider,
    local: () => fakeProvider(local),
    remote: () => fakeProvider(remote),
  }[type]();
  const doing = (does: string): object => ({ ...serving[type], labels: { does } });
  return {
    provider: () => actingOn(fake),
    documents: {
      serving: serving[type],
      // Core cannot restart what is elsewhere, so it does not end either.
      ...(type !== 'remote' && {
        exiting: { document: doing('exit'), lines, exitCode: 3 },
        failing: { document: doing('fail'), code: 'COMMAND_NOT_FOUND' },
        stubborn: doing('hang'),
      }),
    },
  };
}

/** One of several providers on a fake, whose servers do what their labels say. */
function actingOn(fake: FakeProvider): Provider {
  const provider = sharing(fake);
  const hanging = new Set<string>();
  /** What the servers have in their environment, by instance. */
  const secrets = new Map<string, string>();
  const ending =
    (end: Provider['destroy']): Provider['destroy'] =>
    (copy, stop, options) => {
      // It is lively until it is asked to end.
      if (hanging.has(copy.instanceId)) fake.hang(copy.instanceId);
      return end(copy, stop, options);
    };
  return new Proxy(provider, {
    get(target, name): unknown {
      if (name === 'ensureStopped') return ending(target.ensureStopped);
      if (name === 'destroy') return ending(target.destroy);
      return name === 'ensureRunning' ? ensureRunning : Reflect.get(target, name);
    },
  });

  async function ensureRunning(...[request, options]: Parameters<Provider['ensureRunning']>) {
    const { copy, spec } = request;
    const does = spec.labels?.['does'];
    if (does === 'hang') hanging.add(copy.instanceId);
    if (does === 'fail') fake.failNextStart('COMMAND_NOT_FOUND');
    const environment = async () => {
      const variables = await request.environment();
      secrets.set(copy.instanceId, revealText(variables['CONFORMANCE_SECRET'] ?? ''));
      return variables;
    };
    const seen = await provider.ensureRunning({ ...request, environment }, options);
    if (does !== 'exit') return seen;
    const secret = secrets.get(copy.instanceId) ?? '';
    fake.crash(copy.instanceId, { exitCode: 3, lines: [...lines, secret] });
    return provider.observe(copy);
  }
}

/** A provider whose backend is a fake: the fake takes every call as from the process that made it. */
function sharing(fake: FakeProvider): Provider {
  let context: ProviderContext | undefined;
  const open = async (given: ProviderContext): Promise<void> => {
    context = given;
  };
  const close = async (): Promise<void> => {
    context = undefined;
    await fake.close();
  };
  return new Proxy<Provider>(fake, {
    get(target, name): unknown {
      if (name === 'open') return open;
      if (name === 'close') return close;
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: readonly unknown[]): unknown => {
        void (context ? fake.open(context) : fake.close());
        return Reflect.apply(member, target, given);
      };
    },
  });
}
