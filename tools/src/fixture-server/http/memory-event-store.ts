import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

interface StoredEvent {
  readonly streamId: string;
  readonly message: JSONRPCMessage;
}

/** Keeps the last events of one session in memory, so that a client that lost a stream can go on after its last event. */
export class MemoryEventStore implements EventStore {
  static readonly #capacity = 10_000;
  readonly #events = new Map<string, StoredEvent>();
  #last = 0;

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    this.#last += 1;
    const id = String(this.#last);
    this.#events.set(id, { streamId, message });
    this.#events.delete(String(this.#last - MemoryEventStore.#capacity));
    return Promise.resolve(id);
  }

  getStreamIdForEventId(id: string): Promise<string | undefined> {
    return Promise.resolve(this.#events.get(id)?.streamId);
  }

  async replayEventsAfter(
    lastId: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const streamId = this.#events.get(lastId)?.streamId;
    if (streamId === undefined) throw new Error(`unknown event id '${lastId}'`);
    for (const [id, event] of this.#events) {
      if (event.streamId === streamId && Number(id) > Number(lastId)) await send(id, event.message);
    }
    return streamId;
  }
}
