import type { Timestamp } from '../server/mcp-server.js';
import type { EventMap, EventType } from './event-map.js';

/**
 * A committed event: a CloudEvents 1.0 envelope around the data of its type.
 *
 * `position` orders the log without gaps; `resourceVersion` is that of the subject after the change, so old news is
 * seen as such.
 */
export type Event<TType extends EventType = EventType> = {
  readonly [T in TType]: {
    readonly specversion: '1.0';
    readonly id: string;
    /** `mcpinfra/<fleet>` */
    readonly source: string;
    readonly type: T;
    /** The id of the instance or server it is about, or `fleet`. */
    readonly subject: string;
    readonly time: Timestamp;
    readonly datacontenttype: 'application/json';
    readonly tenant: string;
    /** Who caused it: the caller's `actor`, or `system`. */
    readonly actor: string;
    readonly correlationid: string;
    readonly position: number;
    readonly resourceVersion: number;
    readonly data: EventMap[T];
  };
}[TType];

/** An event before the store has given it a position. The store fills `resourceVersion` from the row it writes. */
export type EventDraft<TType extends EventType = EventType> = TType extends EventType
  ? Omit<Event<TType>, 'position' | 'resourceVersion'>
  : never;
