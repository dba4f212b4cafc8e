import { describe, expect, it } from 'vitest';
import { controlsOf } from './isolation.js';

describe('the controls of a document', () => {
  it('are the strictest where it says nothing', () => {
    expect(controlsOf({})).toEqual({
      tier: 'untrusted',
      dropsCapabilities: true,
      capabilities: [],
      noNewPrivileges: true,
      readOnlyRoot: true,
      user: 'image-unless-root',
    });
    expect(controlsOf({ isolation: 'untrusted' })).toEqual(controlsOf({}));
    expect(controlsOf({ isolation: {} })).toEqual(controlsOf({}));
  });

  it('are loosened by a tier, and by what is granted one by one', () => {
    expect(controlsOf({ isolation: 'standard' })).toMatchObject({
      dropsCapabilities: true,
      noNewPrivileges: true,
      readOnlyRoot: false,
      user: 'image',
    });
    expect(controlsOf({ isolation: 'trusted' })).toMatchObject({
      dropsCapabilities: false,
      noNewPrivileges: false,
    });
    const granted = controlsOf({
      isolation: { capabilities: ['NET_RAW', 'CHOWN', 'CHOWN'], new_privileges: true },
      user: '0:0',
      read_only: false,
    });
    expect(granted).toEqual({
      tier: 'untrusted',
      dropsCapabilities: true,
      capabilities: ['CHOWN', 'NET_RAW'],
      noNewPrivileges: false,
      readOnlyRoot: false,
      user: { name: '0:0' },
    });
  });

  it('are tightened one by one too', () => {
    expect(
      controlsOf({ isolation: { tier: 'trusted', new_privileges: false }, read_only: true }),
    ).toMatchObject({ tier: 'trusted', noNewPrivileges: true, readOnlyRoot: true });
  });
});
