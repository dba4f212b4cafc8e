import { once } from 'node:events';
import { MCPInfraError } from '@mcpinfra/core';
import { eventCodec } from '@mcpinfra/core/plugin';
import type { Request, Response } from 'express';
import type { Infra } from './infra.js';

const heartbeatMs = 15_000;

//#region events
/** Streams events as server-sent events: from where the client was (`Last-Event-ID`), or from now on, until it goes away. */
export async function streamEvents(infra: Infra, req: Request, res: Response): Promise<void> {
  const last = req.get('last-event-id');
  const left = new AbortController();
  const { signal } = left;
  res.once('close', () => left.abort());
  const events = infra.events.read({ after: last === undefined ? 'now' : Number(last), signal });
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders();
  const heartbeat = setInterval(() => res.write(': alive\n\n'), heartbeatMs);
  try {
    for await (const event of events) {
      const data = JSON.stringify(eventCodec.encode(event));
      const isRead = res.write(`id: ${event.position}\nevent: ${event.type}\ndata: ${data}\n\n`);
      // Who reads slowly is waited for: what he has not read is in the log.
      if (!isRead) await once(res, 'drain', { signal });
    }
  } catch (error) {
    if (!MCPInfraError.isInstance(error) || error.code !== 'CURSOR_EXPIRED') return;
    // He was away for longer than events are kept: he lists what there is, and goes on from here when he comes again.
    res.write(
      `id: ${Number(error.details['oldest']) - 1}\nevent: expired\ndata: ${JSON.stringify(error.message)}\n\n`,
    );
  } finally {
    clearInterval(heartbeat);
    res.end();
  }
}
//#endregion
