import type { ContainerSpec, IsolationSpec, IsolationTier } from '@mcpinfra/core/plugin';

/** What a container is allowed; every difference from the tier `untrusted` was asked for by its document. */
export interface Controls {
  readonly tier: IsolationTier;
  /** Whether every capability is taken away before those of `capabilities` are given. */
  readonly dropsCapabilities: boolean;
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly readOnlyRoot: boolean;
  /** A user of the document, or whether the image's counts even where it is root. */
  readonly user: { readonly name: string } | 'image' | 'image-unless-root';
}

// What the entry points of common images need to hand over to a user of their own.
const standardCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
];

const tiers: Readonly<Record<IsolationTier, Omit<Controls, 'tier'>>> = {
  untrusted: {
    dropsCapabilities: true,
    capabilities: [],
    noNewPrivileges: true,
    readOnlyRoot: true,
    user: 'image-unless-root',
  },
  standard: {
    dropsCapabilities: true,
    capabilities: standardCapabilities,
    noNewPrivileges: true,
    readOnlyRoot: false,
    user: 'image',
  },
  trusted: {
    dropsCapabilities: false,
    capabilities: [],
    noNewPrivileges: false,
    readOnlyRoot: false,
    user: 'image',
  },
};

/** The capabilities engines grant by default (containerd and Docker, `defaultUnixCaps`). */
export const engineCapabilities: readonly string[] = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/** Gives the controls of a document: those of its tier, with what it grants one by one. */
export function controlsOf(spec: Pick<ContainerSpec, 'isolation' | 'user' | 'read_only'>): Controls {
  const given: IsolationSpec =
    typeof spec.isolation === 'string' ? { tier: spec.isolation } : (spec.isolation ?? {});
  const tier = given.tier ?? 'untrusted';
  const base = tiers[tier];
  return {
    tier,
    dropsCapabilities: base.dropsCapabilities,
    capabilities: [...new Set([...base.capabilities, ...(given.capabilities ?? [])])].sort(),
    noNewPrivileges: given.new_privileges === undefined ? base.noNewPrivileges : !given.new_privileges,
    readOnlyRoot: spec.read_only ?? base.readOnlyRoot,
    user: spec.user === undefined ? base.user : { name: spec.user },
  };
}
