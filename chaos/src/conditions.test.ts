import type { Event } from '@mcpinfra/core';
import { describe, expect, it } from 'vitest';
import { unpairedConditions } from './conditions.js';

let position = 0;

function told(type: 'FleetDegraded' | 'FleetRecovered', part: string): Event {
  position += 1;
  return {
    specversion: '1.0',
    id: String(position),
    source: 'mcpinfra/chaos',
    subject: 'fleet',
    time: `2026-01-01T00:00:0${String(position % 10)}.000Z`,
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
