import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { Dialed, Provider } from '../ports/provider.js';
import { isObject } from '../domain/is-object.js';
import { type Answer, Guard, type GuardOptions } from './guard.js';
import { guardedLines } from './guarded-lines.js';
import { guardedListener } from './guarded-listener.js';
import { guardedRequest, guardedTarget } from './guarded-request.js';
import { GuardedStarts, observation } from './guarded-starts.js';

/**
 * Puts a guard before a provider.
 *
 * What comes late is undone: a copy that runs after its start was given up is destroyed, a channel that opens after its
 * dialling was given up is closed.
 */
export function guardProvider<TSpec extends JsonSpec>(
  provider: Provider<TSpec>,
  options: GuardOptions,
): Provider<TSpec> {
  const {
    specificationVersion,
    type,
    specSchema,
    copiesEndWithProcess = false,
    runsImages = false,
  } = provider;
  const guard = new Guard(
    { port: 'provider', name: type, specificationVersion, code: 'PROVIDER_FAILED', opens: true },
    options,
  );
  const { deadlines } = guard;
  const starts = new GuardedStarts(provider, guard);

  return {
    specificationVersion,
    type,
    specSchema,
    copiesEndWithProcess,
    runsImages,
    open: (context, o) => guard.open(o, (bounds) => provider.open(context, bounds)),
    close: (o) => guard.close(o, (bounds) => provider.close(bounds)),
    placement: ({ signal } = {}) =>
      guard.call('placement', { timeoutMs: deadlines.callMs, signal }, async (bounds) =>
        guard.fitting('placement', await provider.placement(bounds), aPlacement),
      ),
    ensureRunning: (request, o) => starts.ensureRunning(request, o),
    ensureStopped: (copy, stop, { signal } = {}) =>
      guard.call('ensureStopped', { timeoutMs: stop.graceMs + deadlines.stopMs, signal }, (bounds) =>
        provider.ensureStopped(copy, stop, bounds),
      ),
    destroy: (copy, stop, { signal } = {}) =>
      guard.call('destroy', { timeoutMs: stop.graceMs + deadlines.stopMs, signal }, (bounds) =>
        provider.destroy(copy, stop, bounds),
      ),
    observe: (copy, { signal } = {}) =>
      guard.call('observe', { timeoutMs: deadlines.callMs, signal }, async (bounds) =>
        guard.fitting('observe', await provider.observe(copy, bounds), observation),
      ),
    list: ({ signal } = {}) =>
      guard.call('list', { timeoutMs: deadlines.listMs, signal }, async (bounds) =>
        guard.fitting('list', await provider.list(bounds), copies),
      ),
    async dial(target, { signal } = {}) {
      const dialed = await guard.call(
        'dial',
        { timeoutMs: deadlines.dialMs, signal, onLate: (late: Dialed) => hangUp(late, guard) },
        async (bounds) =>
          guard.fitting('dial', await provider.dial(guardedTarget(target, bounds), bounds), aDialed),
      );
      return guardedDialed(dialed, guard);
    },
    ...optionalMethods(provider, guard),
  };
}

/** The presence of a method is the capability, so what is absent stays so. */
function optionalMethods<TSpec extends JsonSpec>(
  provider: Provider<TSpec>,
  guard: Guard,
): Pick<Provider<TSpec>, 'isPrepared' | 'prepare' | 'watch' | 'logs' | 'canOverlap' | 'doctor'> {
  const { prepareMs, callMs } = guard.deadlines;
  const isPrepared = provider.isPrepared?.bind(provider);
  const prepare = provider.prepare?.bind(provider);
  const watch = provider.watch?.bind(provider);
  const logs = provider.logs?.bind(provider);
  const canOverlap = provider.canOverlap?.bind(provider);
  const doctor = provider.doctor?.bind(provider);
  return {
    ...(isPrepared && {
      isPrepared: (request, { signal } = {}) =>
        guard.call('isPrepared', { timeoutMs: callMs, signal }, async (bounds) =>
          guard.fitting('isPrepared', await isPrepared(guardedRequest(request, bounds), bounds), aBoolean),
        ),
    }),
    ...(prepare && {
      prepare: (request, { signal } = {}) =>
        guard.untilProgress('prepare', { timeoutMs: prepareMs, signal }, (bounds, progressed) => {
          const guarded = guardedRequest(request, bounds);
          const onProgress: typeof guarded.onProgress = (progress) => {
            progressed();
            guarded.onProgress(progress);
          };
          return prepare({ ...guarded, onProgress }, bounds);
        }),
    }),
    ...(watch && { watch: (listener) => guardedListener(guard, listener, watch) }),
    ...(logs && {
      logs: (copy, query, { signal } = {}) => {
        const follow = query.follow === true;
        const options = { timeoutMs: follow ? Infinity : callMs, signal, follow };
        return guardedLines(guard, options, (ends) => logs(copy, query, { signal: ends }));
      },
    }),
    ...(canOverlap && {
      canOverlap: (spec) => {
        try {
          return guard.atOnce('canOverlap', canOverlap(spec), aBoolean);
        } catch (error) {
          throw guard.named('canOverlap', error);
        }
      },
    }),
    ...(doctor && {
      doctor: ({ signal } = {}) =>
        guard.call('doctor', { timeoutMs: callMs, signal }, async (bounds) =>
          guard.fitting('doctor', await doctor(bounds), prerequisites),
        ),
    }),
  };
}

const aBoolean: Answer<unknown> = {
  expected: 'true or false',
  fits: (answer) => typeof answer === 'boolean',
};
const aPlacement: Answer<unknown> = {
  expected: 'the name of where its copies run, as a text',
  fits: (answer) => typeof answer === 'string',
};
const copies: Answer<unknown> = {
  expected: 'a list of copies: { copy: { instanceId, revision, slug }, state, … }',
  fits: isListOf((one) => isObject(one['copy']) && typeof one['copy']['instanceId'] === 'string'),
};
const prerequisites: Answer<unknown> = {
  expected: 'a list of prerequisites: { name, ok, … }',
  fits: isListOf((one) => typeof one['ok'] === 'boolean'),
};
const aDialed: Answer<unknown> = {
  expected: "what is dialled: { kind: 'stdio', channel } or { kind: 'http', transport, url, headers }",
  fits: (answer) =>
    isObject(answer) &&
    (answer['kind'] === 'stdio'
      ? isObject(answer['channel'])
      : answer['kind'] === 'http' && isURL(answer['url']) && typeof answer['headers'] === 'function'),
};

// One of another realm is no `URL` of ours.
const isURL = (value: unknown): boolean => isObject(value) && typeof value['href'] === 'string';

function isListOf(fits: (one: Readonly<Record<string, unknown>>) => boolean): (answer: unknown) => boolean {
  return (answer) => Array.isArray(answer) && answer.every((one: unknown) => isObject(one) && fits(one));
}

function hangUp(dialed: Dialed, guard: Guard): void {
  if (dialed.kind === 'stdio') guard.letGo('Closing a channel', () => dialed.channel.close());
}

/** The headers come from the plugin at each request, so they are bounded as every call is. */
function guardedDialed(dialed: Dialed, guard: Guard): Dialed {
  if (dialed.kind === 'stdio') {
    const { input, output } = dialed.channel;
    const close = (): void => guard.letGo('Closing a channel', () => dialed.channel.close());
    return { kind: dialed.kind, channel: { input, output, close } };
  }
  const { kind, transport, url, dispatcher } = dialed;
  return {
    kind,
    transport,
    url,
    dispatcher,
    headers: ({ signal } = {}) =>
      guard.call('headers', { timeoutMs: guard.deadlines.callMs, signal }, (bounds) =>
        dialed.headers(bounds),
      ),
  };
}
