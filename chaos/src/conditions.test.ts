import type { Event } from '@mcpinfra/core';
import { describe, expect, it } from 'vitest';
import { falseRecoveries, unpairedConditions } from './conditions.js';
import type { Outage } from './outages.js';

let position = 0;

function told(type: 'FleetDegraded' | 'FleetRecovered', part: string, time?: string): Event {
  position += 1;
  return {
    specversion: '1.0',
    id: String(position),
    source: 'mcpinfra/chaos',
    subject: 'fleet',
    time: time ?? `2026-01-01T00:00:0${String(position % 10)}.000Z`,
    datacontenttype: 'application/json',
    tenant: '',
    actor: 'system',
    correlationid: 'c',
    position,
    resourceVersion: 0,
    ...(type === 'FleetRecovered'
      ? { type, data: { part } }
      : { type, data: { part, reason: 'STORE_FAILED', message: 'away' } }),
  };
}

describe('unpairedConditions', () => {
  it('finds nothing where each part that was degraded has recovered, in whatever order', () => {
    expect(
      unpairedConditions([
        told('FleetDegraded', 'store'),
        told('FleetDegraded', 'event-bus'),
        told('FleetRecovered', 'store'),
        told('FleetRecovered', 'event-bus'),
        told('FleetDegraded', 'store'),
        told('FleetRecovered', 'store'),
      ]),
    ).toEqual([]);
  });

  it('finds what did not recover, once for each time it was told', () => {
    const twice = [told('FleetDegraded', 'store'), told('FleetDegraded', 'store')];
    const [unpaired, ...others] = unpairedConditions([...twice, told('FleetRecovered', 'store')]);
    expect(unpaired).toMatch(/^store degraded at .* with STORE_FAILED, but did not recover$/u);
    expect(others).toEqual([]);
    expect(unpairedConditions(twice)).toHaveLength(2);
  });

  it('finds a recovery before, or without, what it ends', () => {
    const wrongWay = [told('FleetRecovered', 'store'), told('FleetDegraded', 'store')];
    expect(unpairedConditions(wrongWay)).toHaveLength(2);
    const ofAnother = [told('FleetDegraded', 'event-bus'), told('FleetRecovered', 'provider:docker')];
    expect(unpairedConditions(ofAnother)).toEqual([
      expect.stringMatching(/^provider:docker recovered at .*, but was not degraded$/u),
      expect.stringMatching(/^event-bus degraded/u),
    ]);
  });
});

describe('falseRecoveries', () => {
  const run = { startedAtMs: Date.parse('2026-01-01T00:00:00.000Z'), everybody: 2 };
  const outage: Outage = {
    of: 'store',
    members: ['api', 'worker-0'],
    how: 'read-only',
    fromMs: 10_000,
    toMs: 30_000,
  };
  const during = told('FleetRecovered', 'store', '2026-01-01T00:00:20.000Z');

  it('finds a recovery that is told while the part works for nobody', () => {
    const wrong = 'store recovered at 2026-01-01T00:00:20.000Z, but is read-only';
    expect(falseRecoveries([during], [outage], run)).toEqual([wrong]);
    expect(falseRecoveries([during], [{ ...outage, toMs: Infinity }], run)).toEqual([wrong]);
  });

  it('finds nothing where it works again, or for somebody, or is another one', () => {
    for (const second of ['05', '11', '29', '35']) {
      const event = told('FleetRecovered', 'store', `2026-01-01T00:00:${second}.000Z`);
      expect(falseRecoveries([event], [outage], run), second).toEqual([]);
    }
    expect(falseRecoveries([during], [{ ...outage, members: ['api'] }], run)).toEqual([]);
    expect(falseRecoveries([during], [{ ...outage, of: 'event-bus' }], run)).toEqual([]);
    expect(falseRecoveries([told('FleetDegraded', 'store', during.time)], [outage], run)).toEqual([]);
  });
});
