import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { MCPInfraError, mcpError } from '@mcpinfra/core/plugin';
import { buildConnector } from 'undici';
import type { AddressKind } from './address/address-kind.js';
import type { Allowed } from './address/allowed.js';
import { hostName, portOf } from './address/host-name.js';
import { refusal } from './address/refusal.js';

/** Asks for every address of a name. */
export type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const connectTimeoutMs = 10_000;

/**
 * Makes a connector that goes only where the rules allow.
 *
 * The addresses of a name are looked up once and connected to as they were checked, so that no second answer of the DNS
 * can name another. Literals are checked here, because no lookup is made for them.
 */
export function guardedConnector(allowed: Allowed, lookupAll: LookupAll = lookup): buildConnector.connector {
  const connectorFor = (byName: boolean): buildConnector.connector =>
    buildConnector({ timeout: connectTimeoutMs, lookup: checkedLookup(allowed, byName, lookupAll) });
  // Two, since a lookup is not told the port, with which a host may be allowed.
  const connectors = { named: connectorFor(true), unnamed: connectorFor(false) };

  return (options, callback) => {
    const bare = isIP(options.hostname) === 6 ? `[${options.hostname}]` : options.hostname;
    const target = { host: hostName(bare) ?? bare, port: portOf(options) };
    const byName = allowed.byName(target.host, target.port);
    const refused = (address: string): MCPInfraError | undefined => {
      const kind = allowed.refusedKind(address, byName);
      return kind && refusal({ ...target, address, kind });
    };
    const literal = isIP(options.hostname) === 0 ? undefined : refused(options.hostname);
    if (literal) {
      callback(literal, null);
      return;
    }
    connectors[byName ? 'named' : 'unnamed'](options, (error, socket) => {
      if (error !== null) {
        callback(toldOf(error, target), null);
        return;
      }
      // Where it really went, whatever was looked up.
      const elsewhere = refused(socket.remoteAddress ?? '');
      if (elsewhere) socket.destroy();
      if (elsewhere) callback(elsewhere, null);
      else callback(null, socket);
    });
  };
}

/** Looks a name up and leaves out the addresses that may not be connected to. */
function checkedLookup(allowed: Allowed, byName: boolean, lookupAll: LookupAll): LookupFunction {
  return (hostname, options, callback) => {
    lookupAll(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      const judged = addresses.map((found) => ({
        ...found,
        kind: allowed.refusedKind(found.address, byName),
      }));
      const usable = judged.filter(({ kind }) => kind === undefined);
      const [first] = usable;
      if (first === undefined) callback(noneUsable(hostname, judged[0]), []);
      else if (options.all === true) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };
}

function noneUsable(
  host: string,
  found: { readonly address: string; readonly kind: AddressKind | undefined } | undefined,
): MCPInfraError {
  if (found?.kind === undefined) return notFound(host, 'it has no address');
  return refusal({ host, port: '', address: found.address, kind: found.kind });
}

/** Tells an error of a lookup with what only the connector knows. */
function toldOf(
  error: NodeJS.ErrnoException,
  target: { readonly host: string; readonly port: string },
): Error {
  if (MCPInfraError.isInstance(error) && error.code === 'ADDRESS_FORBIDDEN') {
    const { address, kind } = error.details as { readonly address: string; readonly kind: AddressKind };
    return refusal({ ...target, address, kind });
  }
  return error.syscall === 'getaddrinfo' ? notFound(target.host, error.code ?? error.message, error) : error;
}

function notFound(host: string, why: string, cause?: Error): MCPInfraError {
  return mcpError('HOST_NOT_FOUND', `The name ${host} could not be resolved (${why}).`, { cause });
}
