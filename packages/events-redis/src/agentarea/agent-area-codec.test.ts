import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agentAreaCodec } from './agent-area-codec.js';
import type { AgentAreaMessage, AgentAreaRefusalReason } from './message.js';

const data = {
  instance_id: '2f1b6f60-6f0a-4a51-9b1e-0c8d4c1f2a3b',
  server_spec_id: null,
  name: 'fs-instance-1',
  json_spec: { type: 'docker', image: 'mcp/filesystem:latest', port: 8000 },
};
const envelope = {
  event_id: '3a3c3c0e-31e5-4e57-8f6f-5a7f0f6f9b11',
  timestamp: '1760342400.123456',
  event_type: 'MCPServerInstanceCreated',
  data,
};
const message: AgentAreaMessage = {
  eventId: envelope.event_id,
  type: envelope.event_type,
  at: '2025-10-13T08:00:00.123Z',
  data,
};
const headers = {
  correlation_id: '0d4c7c39-9c0f-4b52-9a4d-8f0f3b1a2c3d',
  'content-type': 'application/json',
};

/** A frame as FastStream writes it from version 0.6 on. */
function frame(body: string, written: Readonly<Record<string, string>> = headers): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const entries = Object.entries(written);
  const count = Buffer.alloc(2);
  count.writeUInt16BE(entries.length);
  const head = Buffer.concat([count, ...entries.flatMap(([name, value]) => [text(name), text(value)])]);
  const fixed = Buffer.alloc(18);
  fixed.write('\u0089BIN\r\n\u001a\n', 'latin1');
  fixed.writeUInt16BE(1, 8);
  fixed.writeUInt32BE(18, 10);
  fixed.writeUInt32BE(18 + head.length, 14);
  return Buffer.concat([fixed, head, Buffer.from(body)]);
}

function reasonOf(payload: Uint8Array | string): AgentAreaRefusalReason | 'none' {
  const decoded = agentAreaCodec.decode(payload);
  return decoded.ok ? 'none' : decoded.refusal.reason;
}

describe('reading a message', () => {
  it.each([
    ['data is a string of JSON', JSON.stringify({ data: JSON.stringify(envelope), headers })],
    ['data is an object', JSON.stringify({ data: envelope, headers: {} })],
    ['it is bare', JSON.stringify(envelope, null, 2)],
    ['it comes in a binary frame', frame(JSON.stringify(envelope))],
    ['it comes in a binary frame without headers', frame(JSON.stringify(envelope), {})],
  ])('works where %s', (_what, payload) => {
    expect(agentAreaCodec.decode(payload)).toEqual({ ok: true, message });
  });

  it.each([
    ['1760342400.123456', '2025-10-13T08:00:00.123Z'],
    ['1760342400', '2025-10-13T08:00:00.000Z'],
    [1760342400.5, '2025-10-13T08:00:00.500Z'],
    ['2025-10-13T11:00:00+03:00', '2025-10-13T08:00:00.000Z'],
    ['2025-10-13T11:00:00.123456789+03:00', '2025-10-13T08:00:00.123Z'],
    ['2025-10-13T08:00:00Z', '2025-10-13T08:00:00.000Z'],
    ['2025-10-13T08:00:00.1Z', '2025-10-13T08:00:00.100Z'],
  ])('takes the time %j', (timestamp, at) => {
    const decoded = agentAreaCodec.decode(JSON.stringify({ ...envelope, timestamp }));
    expect(decoded).toEqual({ ok: true, message: { ...message, at } });
  });

  it.each([
    ['nothing', '', 'not-json'],
    ['what is no JSON', '{"data": ', 'not-json'],
    ['what is no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'not-json'],
    ['JSON of another kind', '[1, 2]', 'not-an-envelope'],
    ['an object that is no envelope', '{"hello":"world"}', 'not-an-envelope'],
    ['a string in data that is no JSON', '{"data":"hello","headers":{}}', 'not-json'],
    ['a string in data that is no envelope', '{"data":"{}","headers":{}}', 'not-an-envelope'],
    ['no event_id', JSON.stringify({ ...envelope, event_id: undefined }), 'bad-field'],
    ['an event_type that is a number', JSON.stringify({ ...envelope, event_type: 7 }), 'bad-field'],
    ['no time', JSON.stringify({ ...envelope, timestamp: undefined }), 'bad-field'],
    ['a time of day', JSON.stringify({ ...envelope, timestamp: '12:30' }), 'bad-field'],
    ['a day that is none', JSON.stringify({ ...envelope, timestamp: '2025-13-45T00:00:00Z' }), 'bad-field'],
    ['a time past all calendars', JSON.stringify({ ...envelope, timestamp: 1e300 }), 'bad-field'],
    ['data that is a list', JSON.stringify({ ...envelope, data: [] }), 'bad-field'],
    ['a frame that is cut off', frame('{}').subarray(0, 12), 'bad-frame'],
    ['a frame whose body begins outside it', frame('', {}).subarray(0, 19), 'bad-frame'],
    ['more than a message has', ' '.repeat(1024 * 1024 + 1), 'too-large'],
  ])('refuses %s', (_what, payload, reason) => {
    expect(reasonOf(payload)).toBe(reason);
  });

  it('never repeats what it refuses, because it may hold a secret', () => {
    const payload = '{"data": {"environment": {"API_KEY": "canary-4711';
    expect(JSON.stringify(agentAreaCodec.decode(payload))).not.toContain('canary');
  });

  it('gives an answer for any bytes and never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(agentAreaCodec.decode(bytes)).toHaveProperty('ok');
      }),
    );
  });

  it('gives an answer for any frame and never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(40), (bytes, at) => {
        const payload = frame(JSON.stringify(envelope));
        payload.set(bytes.subarray(0, payload.length - at), at);
        expect(agentAreaCodec.decode(payload)).toHaveProperty('ok');
      }),
    );
  });

  it('gives an answer for any JSON in any envelope and never an exception', () => {
    const member = fc.record(
      {
        event_id: fc.oneof(fc.json(), fc.constant('e-1')),
        event_type: fc.oneof(fc.string(), fc.constant('MCPServerInstanceCreated')),
        timestamp: fc.oneof(fc.string(), fc.double(), fc.jsonValue()),
        data: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(member, fc.jsonValue()), fc.boolean(), fc.boolean(), (inner, wraps, doubles) => {
        const text = JSON.stringify(inner);
        const outer = wraps ? JSON.stringify({ data: doubles ? text : inner }) : text;
        expect(agentAreaCodec.decode(outer)).toHaveProperty('ok');
      }),
    );
  });

  it('gives an answer for JSON that is nested ever so deeply', () => {
    expect(reasonOf('['.repeat(500_000))).toBe('not-json');
    const deep = `${'{"data":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(['not-json', 'not-an-envelope']).toContain(reasonOf(deep));
  });
});

describe('writing a message', () => {
  it('is done as the platform does it for its managers: JSON in a string of JSON, the time a float', () => {
    const outer = JSON.parse(agentAreaCodec.encode(message)) as { data: string; headers: object };
    expect(outer.headers).toEqual({
      correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/u) as string,
      'content-type': 'application/json',
    });
    const inner = JSON.parse(outer.data) as { timestamp: string; data: { instance_id: string } };
    expect(inner).toEqual({ ...envelope, timestamp: '1760342400.123' });
    expect(inner.data.instance_id).toBe(data.instance_id);
  });

  it('gives what is read again', () => {
    const times = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(times, fc.dictionary(fc.string(), fc.jsonValue()), (date, any) => {
        const given = { ...message, at: date.toISOString(), data: any };
        const decoded = agentAreaCodec.decode(agentAreaCodec.encode(given));
        const plain = JSON.parse(JSON.stringify(given)) as AgentAreaMessage;
        expect(decoded).toEqual({ ok: true, message: plain });
      }),
    );
  });

  it('tells a status as the platform reads it, and leaves out what is empty', () => {
    const change = {
      eventId: envelope.event_id,
      at: '2025-10-13T18:49:39.120Z',
      instanceId: data.instance_id,
      name: 'fs-instance-1',
      status: 'running',
      containerId: '',
      url: 'http://localhost:7999/mcp/fs-instance-1-9f3a2b1c',
    } as const;
    expect(agentAreaCodec.encodeStatusChange(change)).toBe(
      '{"data":{"data":{"instance_id":"2f1b6f60-6f0a-4a51-9b1e-0c8d4c1f2a3b","name":"fs-instance-1",' +
        '"status":"running","url":"http://localhost:7999/mcp/fs-instance-1-9f3a2b1c",' +
        '"timestamp":"2025-10-13T18:49:39.120Z"},"event_id":"3a3c3c0e-31e5-4e57-8f6f-5a7f0f6f9b11",' +
        '"event_type":"MCPServerInstanceStatusChanged","timestamp":"2025-10-13T18:49:39Z"},"headers":{}}',
    );
  });

  it('tells a failure as the platform reads it', () => {
    const failure = {
      eventId: 'e',
      at: message.at,
      instanceId: 'i',
      name: 'n',
      error: 'IMAGE_NOT_FOUND: no',
    };
    expect(JSON.parse(agentAreaCodec.encodeFailure(failure))).toEqual({
      data: {
        data: { instance_id: 'i', name: 'n', error: 'IMAGE_NOT_FOUND: no', timestamp: message.at },
        event_id: 'e',
        event_type: 'MCPServerInstanceError',
        timestamp: '2025-10-13T08:00:00Z',
      },
      headers: {},
    });
  });
});
