import { type CallOptions, orAborted } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import { leaseStatements } from '../sql/lease-statements.js';
import { HolderPresence } from './holder-presence.js';

describe('HolderPresence', () => {
  it('stops while a server that accepts and answers no more owes it an answer', async () => {
    let tellAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      tellAsked = resolve;
    });
    const hung = {
      query: (_statement: unknown, _values: unknown, options?: CallOptions) => {
        tellAsked();
        return orAborted(new Promise<never>(() => undefined), options?.signal);
      },
    };
    const presence = new HolderPresence(hung, leaseStatements('"mcp"'), () => undefined);
    presence.watch();
    await asked;

    await expect(presence.stop()).resolves.toBeUndefined();
  });
});
