import type { WaitableCommandOptions } from '@mcpinfra/core';
import type { Request, Response } from 'express';

//#region call-options
/** What each call is given: it ends with its request, a repetition is known as such, and `?wait=true` waits. */
export function callOptions(req: Request, res: Response): WaitableCommandOptions {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return {
    signal: gone.signal,
    idempotencyKey: req.get('Idempotency-Key'),
    wait: req.query['wait'] === 'true',
  };
}
//#endregion
