import { isObject, kindOf, messageOf } from '@mcpinfra/core/plugin';
import { readFrame } from './fast-stream-frame.js';
import type { AgentAreaDecoded, AgentAreaRefusalReason } from './message.js';
import { readWireTime } from './wire-time.js';

/** More than any message of the platform has. */
const largestBytes = 1024 * 1024;

/**
 * Reads a message in any envelope that is in use: `data` a string of JSON (FastStream 0.5), `data` an object (the Go
 * manager), neither, or a binary frame around it (FastStream 0.6).
 *
 * Any bytes give an answer and never an exception.
 */
export function decodeMessage(payload: Uint8Array | string): AgentAreaDecoded {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  if (bytes.byteLength > largestBytes) {
    return refused(
      'too-large',
      `Expected at most ${String(largestBytes)} bytes, but got ${String(bytes.byteLength)}.`,
    );
  }
  const frame = readFrame(bytes);
  if (frame !== null && 'fault' in frame) return refused('bad-frame', frame.fault);
  const outer = parse(frame?.body ?? bytes);
  if (!outer.ok) return refused('not-json', `Expected JSON, but ${outer.fault}.`);
  return fromEnvelope(outer.value);
}

function fromEnvelope(outer: unknown): AgentAreaDecoded {
  if (!isObject(outer)) return refused('not-an-envelope', `Expected an object, but got ${kindOf(outer)}.`);
  if ('event_type' in outer) return readMessage(outer);
  const { data } = outer;
  if (typeof data === 'string') {
    const inner = parse(Buffer.from(data));
    if (!inner.ok) return refused('not-json', `Expected JSON in the text of data, but ${inner.fault}.`);
    return fromInner(inner.value, 'the text of data');
  }
  return fromInner(data, 'data');
}

function fromInner(inner: unknown, where: string): AgentAreaDecoded {
  if (isObject(inner) && 'event_type' in inner) return readMessage(inner);
  return refused('not-an-envelope', `Expected an object with event_type, event_id and data in ${where}.`);
}

function readMessage(envelope: Readonly<Record<string, unknown>>): AgentAreaDecoded {
  const { event_id: eventId, event_type: type, timestamp, data } = envelope;
  if (!isName(type))
    return refused('bad-field', `Expected event_type to be the name of an event, but got ${kindOf(type)}.`);
  if (!isName(eventId))
    return refused('bad-field', `Expected event_id to be the id of the event, but got ${kindOf(eventId)}.`);
  const at = readWireTime(timestamp);
  if (at === undefined) {
    const message = `Expected timestamp to be seconds since the epoch or RFC 3339, but got ${kindOf(timestamp)}.`;
    return refused('bad-field', message);
  }
  if (!isObject(data)) return refused('bad-field', `Expected data to be an object, but got ${kindOf(data)}.`);
  return { ok: true, message: { eventId, type, at, data } };
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: string };

function parse(bytes: Uint8Array): Parsed {
  try {
    return {
      ok: true,
      value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown,
    };
  } catch (error) {
    // The engine quotes what it could not read, which may be a part of a secret.
    const place = /at position \d+/u.exec(messageOf(error))?.[0];
    return { ok: false, fault: `it cannot be read${place === undefined ? '' : ` ${place}`}` };
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 200;
}

function refused(reason: AgentAreaRefusalReason, message: string): AgentAreaDecoded {
  return { ok: false, refusal: { reason, message } };
}
