import type { CommandOptions, WaitableCommandOptions } from '@mcpinfra/core';
import type { Request, Response } from 'express';

//#region call-options
/** What each call is given: it ends with its request, and a repetition is known as such. */
export function callOptions(req: Request, res: Response): CommandOptions {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return { signal: gone.signal, idempotencyKey: req.get('Idempotency-Key') };
}

/** What a command on an instance is given besides: `?wait=true` waits until its wish has come true. */
export function commandOptions(req: Request, res: Response): WaitableCommandOptions {
  return { ...callOptions(req, res), wait: req.query['wait'] === 'true' };
}
//#endregion
