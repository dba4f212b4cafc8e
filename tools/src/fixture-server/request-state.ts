import { createRequestStateCodec } from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';

/** Signs what a multi-round call must remember between rounds. The key dies with the process. */
export const requestState = createRequestStateCodec<{ readonly round: number }>({ key: randomBytes(32) });
