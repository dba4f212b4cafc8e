import type { ApplyOptions, ApplyResult, MCPInfraScope } from '@mcpinfra/core';
import { importTypes } from './chosen-way.js';
import { readImport, readingOptions, type ReadImport, type ReadImportOptions } from './read-import.js';
import { refuseUnknownOptions } from './refuse-unknown-options.js';

/** How something is imported. */
export interface ImportOptions extends ReadImportOptions, ApplyOptions {}

/** What an import did, or with `dryRun` would do: instances that need nothing were made. */
export interface ImportResult extends Omit<ReadImport, 'document'>, ApplyResult {}

/**
 * Applies what was written for others: an entry of the official registry (`server.json`), the `mcpServers` of a client,
 * VS Code's `servers` and `inputs`, a `server.yaml` of the Docker catalogue, or a list of `providers`; as text or parsed.
 *
 * Instances that need nothing more are made; of the others the result says in `needs` what to give in `values`. Importing
 * the same again changes nothing.
 *
 * @param infra - the fleet, or a scope of it
 * @throws `INVALID_SPEC` with every fault of the document at once; `INVALID_ARGUMENT` for values that nothing asks for
 */
export async function importFleet(
  infra: MCPInfraScope,
  source: unknown,
  options: ImportOptions = {},
): Promise<ImportResult> {
  refuseUnknownOptions('importFleet', options, [...readingOptions, ...applyingOptions]);
  const { values, instances, type, volumes, ...applying } = options;
  const runnable = importTypes.filter((one) => infra.instances.types.includes(one));
  const read = readImport(source, { values, instances, volumes, type: type ?? runnable });
  const { document, ...report } = read;
  return { ...report, ...(await infra.apply(document, applying)) };
}

const applyingOptions = ['dryRun', 'signal', 'actor', 'idempotencyKey'] as const;
