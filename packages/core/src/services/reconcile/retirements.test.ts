import { describe, expect, it } from 'vitest';
import { exampleInstance, exampleRuntime } from '../../../test/support/rows.js';
import { orAborted } from '../../async/abort.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import type { CallOptions } from '../../ports/common.js';
import type { Provider } from '../../ports/provider.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import type { ReconcileServices } from './reconcile-services.js';
import { Retirements } from './retirements.js';

const spec = { type: 'docker', image: 'mcp/test' } as JsonSpec;
const copy = { revision: 1, runHash: 'h', spec };

/** An instance one copy of which was replaced, and an engine that removes it as it is told to. */
function retiring(destroy: (options?: CallOptions) => Promise<void>) {
  const record = exampleInstance({ runtime: exampleRuntime({ placement: 'here' }) });
  const logger = recordingLogger();
  const clock = manualClock();
  const parts = {
    context: { logger, clock, random: () => 0.5 },
    links: { vacate: async () => undefined },
    ownership: { fence: () => 1 },
    secrets: {
      scrubError: (id: string, error: Error) =>
        id === record.id ? mcpError('PROVIDER_FAILED', error.message.replace('canary', '[secret]')) : error,
    },
  } as unknown as ReconcileServices;
  const retirements = new Retirements(parts);
  const provider: Pick<Provider, 'destroy'> = { destroy: (_copy, _stop, options) => destroy(options) };
  retirements.begin(record, copy, provider as Provider);
  return { record, retirements, logger, clock };
}

/** Takes a removal and never ends it but by its signal. */
const hanging = ({ signal }: CallOptions = {}): Promise<void> =>
  orAborted(new Promise<never>(() => undefined), signal);

describe('a copy that was replaced', () => {
  it('whose removal hangs does not keep a pass whose signal fires', async () => {
    const { record, retirements } = retiring(hanging);
    const news = new AbortController();
    const ended = retirements.end(record.id, news.signal);
    news.abort();
    await expect(ended).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it.each(['fires', 'has fired'])(
    'whose removal hangs is given up when the signal of the stop %s',
    async (how) => {
      const { retirements, logger } = retiring(hanging);
      const stop = new AbortController();
      if (how === 'has fired') stop.abort();
      const ended = retirements.endAll(stop.signal);
      stop.abort();
      await ended;
      expect(logger.lines.map(({ message }) => message)).toEqual([
        'a copy that was replaced could not be removed yet',
      ]);
    },
  );

  it('is logged without the secrets it was given when it cannot be removed', async () => {
    const { retirements, logger } = retiring(() => Promise.reject(new Error('container runs with canary')));
    await retirements.endAll();
    expect(JSON.stringify(logger.lines)).toContain('container runs with [secret]');
  });

  it('that could not be removed is tried again after a while, until it is', async () => {
    let calls = 0;
    const { clock } = retiring(async () => {
      if (++calls < 3) throw new Error('the engine is away');
    });
    for (let second = 0; second < 30; second++) await clock.advance(1_000);
    expect(calls).toBe(3);
    expect(clock.pending).toBe(0);
  });

  it('that could not be removed keeps whoever ends it from going on, and is removed when that is tried again', async () => {
    let away = true;
    const { record, retirements, clock } = retiring(async () => {
      if (away) throw new Error('the engine is away');
    });
    await clock.advance(0);
    const { signal } = new AbortController();
    await expect(retirements.end(record.id, signal)).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    away = false;
    await retirements.end(record.id, signal);
    expect(clock.pending).toBe(0);
    await retirements.end(record.id, signal);
  });

  it('that could not be removed is given up with everything else, and not tried any more', async () => {
    let calls = 0;
    const { retirements, clock } = retiring(() => {
      calls++;
      return Promise.reject(new Error('the engine is away'));
    });
    await clock.advance(0);
    await retirements.endAll();
    await clock.advance(60_000);
    expect(calls).toBe(2);
    expect(clock.pending).toBe(0);
  });
});
