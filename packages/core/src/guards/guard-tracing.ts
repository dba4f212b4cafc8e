import { tracingChannel, type TracingChannel } from 'node:diagnostics_channel';

/** The kinds of plugin that core calls. */
export type GuardedPort = 'provider' | 'store' | 'event-bus' | 'secrets';

/** What subscribers of a channel see of a call; Node adds `error`. No arguments and no results. */
export interface GuardedCall {
  readonly plugin: string;
  readonly method: string;
}

type Channel = TracingChannel<unknown, GuardedCall>;

const channels: Readonly<Record<GuardedPort, Channel>> = {
  provider: tracingChannel('mcpinfra:provider'),
  store: tracingChannel('mcpinfra:store'),
  'event-bus': tracingChannel('mcpinfra:event-bus'),
  secrets: tracingChannel('mcpinfra:secrets'),
};

/** Publishes a call to the tracing channel `mcpinfra:<port>`; without subscribers it only makes the call. */
export function traced<T>(port: GuardedPort, call: GuardedCall, work: () => Promise<T>): Promise<T> {
  const channel = channels[port];
  return channel.hasSubscribers ? publish(channel, call, work) : work();
}

async function publish<T>(channel: Channel, call: GuardedCall, work: () => Promise<T>): Promise<T> {
  let result: Promise<T> | undefined;
  // Node would publish what the promise resolves with, which may be a secret: hence one that resolves with nothing.
  await channel.tracePromise(async (): Promise<void> => {
    result = work();
    await result;
  }, call);
  return result as Promise<T>;
}
