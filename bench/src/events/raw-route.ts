import { randomUUID } from 'node:crypto';
import type { Event } from '@mcpinfra/core/plugin';
import { Redis } from 'ioredis';
import type { OpenRoute } from './route.js';

const batchSize = 100;
const group = 'bench';

/** The floor: pipelines of 100 XADD, a group read of up to 100, JSON on both sides, and one XACK for what was read. */
export const openRawRoute: OpenRoute = async (url, handler) => {
  const key = `bench-${randomUUID()}`;
  const [writer, reader] = [new Redis(url), new Redis(url)];
  await writer.xgroup('CREATE', key, group, '$', 'MKSTREAM');
  const reading = handler ? read({ reader, writer, key }, handler) : Promise.resolve();
  return {
    publish: async (events) => {
      for (let at = 0; at < events.length; at += batchSize) {
        const pipeline = writer.pipeline();
        for (const event of events.slice(at, at + batchSize))
          pipeline.xadd(key, '*', 'event', JSON.stringify(event));
        await pipeline.exec();
      }
    },
    close: async () => {
      reader.disconnect();
      await reading;
      writer.disconnect();
    },
  };
};

interface Ends {
  readonly reader: Redis;
  readonly writer: Redis;
  readonly key: string;
}

/** Until the reader is disconnected. */
async function read({ reader, writer, key }: Ends, handler: (event: Event) => void): Promise<void> {
  for (;;) {
    const streams = (await reader
      .xreadgroup('GROUP', group, 'one', 'COUNT', batchSize, 'BLOCK', 5_000, 'STREAMS', key, '>')
      .catch(() => undefined)) as [string, [string, string[]][]][] | null | undefined;
    if (streams === undefined) return;
    const entries = streams?.[0]?.[1] ?? [];
    for (const [, fields] of entries) handler(JSON.parse(fields[1] ?? '') as Event);
    // Not waited for, as the next read is not either.
    if (entries.length > 0) void writer.xack(key, group, ...entries.map(([id]) => id)).catch(() => undefined);
  }
}
