import { isIP } from 'node:net';
import { mcpError, type MCPInfraError } from '@mcpinfra/core/plugin';
import type { AddressKind } from './address-kind.js';
import { isAllowableByName, type Allowed } from './allowed.js';
import { hostName, portOf } from './host-name.js';

/** An address that may not be connected to, and whose it is. */
export interface Refused {
  readonly host: string;
  readonly port: string;
  readonly address: string;
  readonly kind: AddressKind;
}

const described: Readonly<Record<AddressKind, string>> = {
  public: 'a public address',
  loopback: 'a loopback address',
  private: 'an address of a private network',
  'link-local': 'a link-local address',
  metadata: 'an address of a cloud metadata service',
  multicast: 'a multicast address',
  unspecified: 'an unspecified address',
  reserved: 'a reserved address',
};

/** Says what was refused and which option allows it. */
export function refusalSentence({ host, port, address, kind }: Refused): string {
  const target = `${host}:${port}`;
  const where = host.replace(/^\[|\]$/gu, '') === address ? `${target} is` : `${target} is at ${address},`;
  const entry = isAllowableByName(kind) ? target : address;
  const group = kind === 'loopback' || kind === 'private' ? ` (or "${kind}" for every such address)` : '';
  return (
    `${where} ${described[kind]}, where this host lets no server be. ` +
    `If it may be there, set urlProvider({ allow: ["${entry}"] })${group}.`
  );
}

/** Makes the error of an address that may not be connected to. */
export function refusal(refused: Refused): MCPInfraError {
  const { host, port, address, kind } = refused;
  return mcpError('ADDRESS_FORBIDDEN', refusalSentence(refused), { details: { host, port, address, kind } });
}

/** Finds out without asking the DNS whether a URL leads to where no server may be. */
export function refusedWithoutLookup(url: URL, allowed: Allowed): Refused | undefined {
  const host = hostName(url.hostname) ?? url.hostname;
  const port = portOf(url);
  // RFC 6761, section 6.3: these names are always the machine itself.
  const isLocal = host === 'localhost' || host.endsWith('.localhost');
  const address = isLocal ? '127.0.0.1' : host.replace(/^\[|\]$/gu, '');
  if (isIP(address) === 0) return undefined;
  const kind = allowed.refusedKind(address, allowed.byName(host, port));
  return kind && { host, port, address, kind };
}
