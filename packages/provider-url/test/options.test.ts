import { MCPInfraError } from '@mcpinfra/core';
import { urlProvider } from '@mcpinfra/provider-url';
import { describe, expect, it } from 'vitest';

describe('urlProvider', () => {
  it('refuses what it does not know', () => {
    const make = urlProvider as (options: unknown) => unknown;
    expect(() => make({ alow: [] })).toThrow('urlProvider has no option "alow"; did you mean "allow"?');
    expect(() => make({ allow: 'loopback' })).toThrow('expected allow to be a list of texts, got "loopback"');
    expect(() => make({ allow: [7] })).toThrow(MCPInfraError);
  });

  it('lives nowhere and tells its policy', async () => {
    const provider = urlProvider({ allow: ['loopback', '10.0.0.0/8'] });
    expect(await provider.placement()).toBe('*');
    expect(await provider.doctor?.()).toEqual([
      {
        name: 'url addresses',
        ok: true,
        message: 'Servers may be at public addresses, and at what the host allows: loopback, 10.0.0.0/8.',
      },
    ]);
    await provider.close();
  });
});
