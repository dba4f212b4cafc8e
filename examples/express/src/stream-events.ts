import { eventCodec } from '@mcpinfra/core/plugin';
import type { Response } from 'express';
import type { Infra } from './infra.js';

const heartbeatMs = 15_000;
/** Who reads slower than this is cut off, connects again and lists what there is. */
const maxUnreadBytes = 1_000_000;

//#region events
/** Streams events from now on as server-sent events, until the client goes away. */
export function streamEvents(infra: Infra, res: Response): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders();
  const send = (text: string): void => {
    res.write(`${text}\n\n`);
    if (res.writableLength > maxUnreadBytes) res.destroy();
  };
  const off = infra.events.on('*', (event) => {
    send(`id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(eventCodec.encode(event))}`);
  });
  const heartbeat = setInterval(() => send(': alive'), heartbeatMs);
  res.once('close', () => {
    clearInterval(heartbeat);
    off();
  });
}
//#endregion
