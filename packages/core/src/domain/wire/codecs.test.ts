import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import {
  arbitraryEvent,
  arbitraryInstanceRecord,
  arbitraryServer,
} from '../../../test/support/arbitrary-rows.js';
import { exampleEvent, exampleInstance, exampleServer } from '../../../test/support/rows.js';
import type { Event } from '../events/event.js';
import { eventTypes } from '../events/event-map.js';
import { toInstance } from '../instance/instance-record.js';
import { eventCodec } from './event-codec.js';
import { eventDataSchemas } from './event-data-schemas.js';
import { instanceCodec } from './instance-codec.js';
import { instanceRecordCodec } from './instance-record-codec.js';
import { serverCodec } from './server-codec.js';
import type { WireCodec } from './wire-codec.js';

/** Through the text, as it leaves the process. */
function roundTrip<T>(codec: WireCodec<T>, value: T): T {
  return codec.decode(JSON.parse(JSON.stringify(codec.encode(value))));
}

/** -0 does not survive JSON, which is no business of ours. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function keysOf(value: unknown): string[] {
  return Object.keys(value as object);
}

describe('every codec', () => {
  it('gives back the server it was given', () => {
    const property = fc.property(arbitraryServer, (value) => {
      expect(roundTrip(serverCodec, value)).toEqual(asJson(value));
    });
    fc.assert(property);
  });

  it('gives back the row of an instance it was given', () => {
    const property = fc.property(arbitraryInstanceRecord, (value) => {
      expect(roundTrip(instanceRecordCodec, value)).toEqual(asJson(value));
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('gives back the instance it was given', () => {
    const property = fc.property(arbitraryInstanceRecord, (record) => {
      const value = toInstance(record);
      expect(roundTrip(instanceCodec, value)).toEqual(asJson(value));
    });
    fc.assert(property);
  });

  it('gives back the event it was given, of every type', () => {
    const property = fc.property(arbitraryEvent, (value) => {
      expect(roundTrip(eventCodec, value)).toEqual(asJson(value));
    });
    fc.assert(property, { numRuns: 500 });
    expect(new Set(keysOf(eventDataSchemas))).toEqual(eventTypes);
  });

  it('checks exactly the type it stands for', () => {
    expectTypeOf<z.output<typeof serverCodec.schema>>().toEqualTypeOf<
      ReturnType<typeof serverCodec.decode>
    >();
    fc.assert(fc.property(arbitraryServer, (value) => serverCodec.schema.safeParse(value).success));
    fc.assert(
      fc.property(arbitraryInstanceRecord, (value) => instanceRecordCodec.schema.safeParse(value).success),
    );
    fc.assert(fc.property(arbitraryEvent, (value) => eventCodec.schema.safeParse(value).success));
  });
});

describe('the wire form', () => {
  it('has every declared key in snake_case', () => {
    const row = instanceRecordCodec.encode(exampleInstance()) as Record<string, object>;
    expect(
      [...keysOf(row), ...keysOf(row['status_detail']), ...keysOf(row['runtime'])].join(' '),
    ).not.toMatch(/[A-Z]/);
    expect(keysOf(serverCodec.encode(exampleServer()))).toContain('docker_image_url');
  });

  it('leaves the keys of labels, documents, environments and tools as they are', () => {
    const tool = { name: 't', inputSchema: { myProperty: {} }, outputSchema: { a: 1 } };
    const jsonSpec = {
      type: 'docker',
      memory_limit: '1m',
      camelCase: { deepKey: 1 },
      environment: { apiKey: 'x' },
    };
    const base = exampleInstance({ labels: { teamName: 'a', team_name: 'b' }, jsonSpec });
    const handshake = {
      at: base.createdAt,
      era: 'modern',
      protocolVersion: '1',
      serverName: 's',
      serverVersion: '1',
    } as const;
    const record = { ...base, runtime: { ...base.runtime, handshake: { ...handshake, tools: [tool] } } };
    expect(instanceRecordCodec.encode(record)).toMatchObject({
      labels: { teamName: 'a', team_name: 'b' },
      json_spec: jsonSpec,
      runtime: { handshake: { protocol_version: '1', tools: [tool] } },
    });
  });

  it('of an event has attributes in lower case and data in snake_case', () => {
    const event: Event = {
      ...exampleEvent(),
      position: 7,
      resourceVersion: 3,
      type: 'MCPServerInstanceRemoved',
      data: { instanceId: exampleServer().id, name: 'fs', slug: 'fs-1', labels: { teamName: 'a' } },
    };
    const json = eventCodec.encode(event) as Record<string, object>;
    expect(keysOf(json).join(' ')).toBe(
      'specversion id source type subject time datacontenttype tenant actor correlationid position resourceversion data',
    );
    expect(keysOf(json['data'])).toEqual(['instance_id', 'name', 'slug', 'labels']);
    expect(json['data']).toMatchObject({ labels: { teamName: 'a' } });
  });
});

describe('decoding', () => {
  const wire = () => serverCodec.encode(exampleServer()) as Record<string, unknown>;

  it('lists the path of each fault under its name on the wire', () => {
    const row = instanceRecordCodec.encode(exampleInstance()) as { status_detail: object };
    const wrong = { ...row, status: 'odd', status_detail: { ...row.status_detail, restart_count: -1 } };
    const refusal = (): unknown => instanceRecordCodec.decode(wrong);
    expect(refusal).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        details: {
          issues: [
            expect.objectContaining({ path: '/status' }),
            expect.objectContaining({ path: '/status_detail/restart_count' }),
          ],
        },
      }),
    );
    expect(refusal).toThrow(/\/status_detail\/restart_count/);
  });

  it('takes any id of the shape of a UUID, and nothing else', () => {
    const odd = '00000000-ABCD-f000-0000-00000000000a';
    expect(serverCodec.decode({ ...wire(), id: odd }).id).toBe(odd);
    for (const id of ['x', `${odd}0`, odd.replaceAll('-', '')]) {
      expect(() => serverCodec.decode({ ...wire(), id })).toThrow(/\/id/);
    }
  });

  it('leaves out what it does not know', () => {
    expect(serverCodec.decode({ ...wire(), future: 1 })).not.toHaveProperty('future');
  });

  it('reads error codes of newer versions, and no events of types that are none', () => {
    const event = { ...exampleEvent(), position: 1, resourceversion: 0 };
    const degraded = {
      ...event,
      type: 'FleetDegraded',
      data: { part: 'x', reason: 'NEW_CODE', message: '' },
    };
    expect(eventCodec.decode(degraded)).toMatchObject({ data: { reason: 'NEW_CODE' } });
    expect(() => eventCodec.decode({ ...event, type: 'Odd' })).toThrow(/\/type/);
    expect(() => eventCodec.decode(null)).toThrow(/\(document\)/);
  });
});
