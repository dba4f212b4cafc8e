/**
 * Imports MCP servers into a fleet from what was written for others.
 *
 * @packageDocumentation
 */
export type { ImportType } from './chosen-way.js';
export type { ImportFormat } from './documents/import-format.js';
export type { NotCarried } from './documents/import-report.js';
export type { ImportInput } from './drafts/server-draft.js';
export { importFleet, type ImportOptions, type ImportResult } from './import-fleet.js';
export type { ImportValue } from './import-values.js';
export { readImport, type ImportNeed, type ReadImport, type ReadImportOptions } from './read-import.js';
