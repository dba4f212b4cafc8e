import { invalidSpec, type Issue, plainDocument } from '@mcpinfra/core/plugin';
import { fromDockerCatalog } from './catalogs/from-docker-catalog.js';
import { fromMcpServers } from './clients/from-mcp-servers.js';
import { fromProvidersYaml } from './catalogs/from-providers-yaml.js';
import { fromServerJson } from './registry/from-server-json.js';
import { detectFormat, type ImportFormat } from './documents/import-format.js';
import { ImportReport, type NotCarried } from './documents/import-report.js';
import { DocumentNode } from './documents/document-node.js';
import type { ReadingOptions } from './reading-options.js';
import type { ServerWays } from './drafts/server-draft.js';

/** The servers of a document, with places for values. */
export interface ServersRead {
  readonly format: ImportFormat;
  /** One entry for each server. */
  readonly servers: readonly ServerWays[];
  readonly notCarried: readonly NotCarried[];
  /** JSON pointers to secrets in clear. */
  readonly secretsInClear: readonly string[];
}

/**
 * Reads the servers of a document of any known format, or of a list of documents of one format.
 *
 * Works on a copy, so nothing of the argument is run or changed.
 *
 * @throws `INVALID_SPEC` with every fault at once, each at a place that exists in the document
 */
export function readServers(document: unknown, options: ReadingOptions): ServersRead {
  const plain = plainDocument(document);
  if (plain.issues.length > 0) throw invalidSpec('What was imported', plain.issues);
  const report = new ImportReport();
  const whole = new DocumentNode(plain.value, '', report);
  const documents = Array.isArray(plain.value) ? whole.items() : [whole];
  const formats = documents.map((node) => {
    const format = detectFormat(node.value);
    if (typeof format === 'string') return format;
    node.fault('unknown_type', format.unknown);
    return undefined;
  });
  const [format] = formats;
  if (documents.length === 0) whole.fault('required', 'The list is empty: there is nothing to import.');
  documents.forEach((node, index) => {
    if (formats[index] !== undefined && format !== undefined && formats[index] !== format)
      node.fault(
        'conflict',
        `This document is of the format ${formats[index]} and the first is ${format}: import them one by one.`,
      );
  });
  if (!format || report.issues.length > 0) throw invalidSpec('What was imported', report.issues);
  const servers = documents.flatMap((node) => readers[format](node, options));
  const issues: readonly Issue[] = [...report.issues, ...repeatedNames(servers)];
  if (issues.length > 0) throw invalidSpec('What was imported', firstOfEach(issues));
  return { format, servers, notCarried: report.notCarried, secretsInClear: report.secretsInClear };
}

type Reader = (node: DocumentNode, options: ReadingOptions) => readonly ServerWays[];

const readers: Readonly<Record<ImportFormat, Reader>> = {
  'server.json': (node, options) => entries(node).map((entry) => fromServerJson(entry, options)),
  mcpServers: (node, options) => {
    const servers = node.at('mcpServers');
    if (!Object.hasOwn(node.value as object, 'mcpServers'))
      return fromMcpServers(node, node.at('inputs'), options);
    node.leaveOthers(['mcpServers', 'inputs', '$schema']);
    return fromMcpServers(servers, node.at('inputs'), options);
  },
  vscode: (node, options) => {
    const from = node.at('servers').isAbsent ? node.at('mcp') : node;
    from.leaveOthers(['servers', 'inputs', '$schema']);
    return fromMcpServers(from.at('servers'), from.at('inputs'), options);
  },
  'docker-catalog': (node, options) => [fromDockerCatalog(node, options)],
  providers: (node) => fromProvidersYaml(node.at('providers')),
};

/** The entries of an answer of the registry: one, one in a wrapper with what the registry says of it, or a list. */
function entries(node: DocumentNode): readonly DocumentNode[] {
  const list = node.at('servers');
  const all = list.isAbsent ? [node] : list.items();
  return all.map((entry) => (entry.at('server').isAbsent ? entry : entry.at('server')));
}

function repeatedNames(servers: readonly ServerWays[]): Issue[] {
  const seen = new Map<string, string>();
  return servers.flatMap(([way]): Issue[] => {
    if (!way) return [];
    const { path, definition, instance } = way;
    const first = seen.get(instance.name) ?? seen.get(`${definition.name}@${definition.version}`);
    seen.set(instance.name, path);
    seen.set(`${definition.name}@${definition.version}`, path);
    if (first === undefined) return [];
    const message = `A server of this name stands already at ${first}. Import them one by one, or remove one of the two.`;
    return [{ path, code: 'conflict', message }];
  });
}

/** What is said first of a place says what is wrong with it; the rest follows from that. */
function firstOfEach(issues: readonly Issue[]): readonly Issue[] {
  return [...new Map([...issues].reverse().map((issue) => [issue.path, issue])).values()].reverse();
}
