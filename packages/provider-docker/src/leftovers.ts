import { isSurelyDead, messageOf, parseEphemeralFleet, type Logger } from '@mcpinfra/core/plugin';
import type { ContainerStarts } from './container-starts.js';
import type { Containers } from './containers.js';
import { copyKey, copyName, labels, readOwner, type OwnedRef, type Owner } from './labels.js';
import type { Networks } from './networks.js';
import type { SecretFiles } from './secret-files.js';

/** What is looked through. */
export interface LeftoverParts {
  readonly containers: Containers;
  readonly networks: Networks;
  readonly secretFiles: SecretFiles;
  readonly starts: ContainerStarts;
  readonly logger: Logger;
}

/**
 * Removes what fleets left that died with their process: those of memory stores whose process has surely ended. Every
 * other fleet is left alone.
 */
export async function removeLeftovers(parts: LeftoverParts, signal: AbortSignal): Promise<void> {
  const { containers, networks, secretFiles, starts, logger } = parts;
  const listed = await containers.list(undefined, signal);
  const found = [
    ...listed.map((container) => container.Labels),
    ...(await networks.listAll(signal)).map((network) => network.Labels),
  ];
  const fleets = new Set(found.flatMap((set) => set?.[labels.fleet] ?? []));
  const files = await secretFiles.list();
  for (const { owned } of files) fleets.add(owned.fleet);
  const dead = new Set<string>();
  for (const fleet of fleets) {
    const owner = parseEphemeralFleet(fleet);
    if (owner && (await isSurelyDead(owner))) dead.add(fleet);
  }
  const copies = new Map<string, OwnedRef>();
  const shared = new Map<string, Owner>();
  for (const owned of [...found.map(readOwner), ...files.map((one) => one.owned)]) {
    if (owned && dead.has(owned.fleet)) copies.set(copyKey(owned), owned);
  }
  for (const set of found) {
    const [fleet, storeId] = [set?.[labels.fleet] ?? '', set?.[labels.store] ?? ''];
    if (set?.[labels.shared] !== undefined && dead.has(fleet))
      shared.set(`${fleet}\0${storeId}`, { fleet, storeId });
  }
  for (const owned of copies.values()) {
    try {
      await starts.remove(owned, signal);
      logger.info('removed a container that a killed host left', { name: copyName(owned.copy) });
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('what a killed host left could not be removed', {
        name: copyName(owned.copy),
        error: messageOf(error),
      });
    }
  }
  for (const owner of shared.values()) await networks.removeShared(owner, signal);
}
