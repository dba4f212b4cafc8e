import { invalidSpec, type Issue } from '../errors/issue.js';
import { plainDocument } from '../json-spec/plain-document.js';
import { fromDockerCatalog } from './from-docker-catalog.js';
import { fromMcpServers } from './from-mcp-servers.js';
import { fromProvidersYaml } from './from-providers-yaml.js';
import { fromServerJson } from './from-server-json.js';
import { detectFormat, type ImportFormat } from './import-format.js';
import { ImportReport, type NotCarried } from './import-report.js';
import { Place } from './place.js';
import type { ReadingOptions } from './reading-options.js';
import type { ServerWays } from './server-draft.js';

/** What was read from a document. */
export interface ReadImport {
  readonly format: ImportFormat;
  /** One entry for each server. */
  readonly servers: readonly ServerWays[];
  readonly notCarried: readonly NotCarried[];
  /** JSON pointers to secrets in clear. */
  readonly secretsInClear: readonly string[];
}

/**
 * Reads a document of any known format, or a list of documents of one format.
 *
 * Works on a copy, so nothing of the argument is run or changed.
 *
 * @throws `INVALID_SPEC` with every fault at once, each at a place that exists in the document
 */
export function readImport(document: unknown, options: ReadingOptions): ReadImport {
  const plain = plainDocument(document);
  if (plain.issues.length > 0) throw invalidSpec('What was imported', plain.issues);
  const report = new ImportReport();
  const whole = new Place(plain.value, '', report);
  const documents = Array.isArray(plain.value) ? whole.items() : [whole];
  const formats = documents.map((place) => {
    const format = detectFormat(place.value);
    if (typeof format === 'string') return format;
    place.fault('unknown_type', format.unknown);
    return undefined;
  });
  const [format] = formats;
  if (documents.length === 0) whole.fault('required', 'The list is empty: there is nothing to import.');
  documents.forEach((place, index) => {
    if (formats[index] !== undefined && format !== undefined && formats[index] !== format)
      place.fault(
        'conflict',
        `This document is of the format ${formats[index]} and the first is ${format}: import them one by one.`,
      );
  });
  if (!format || report.issues.length > 0) throw invalidSpec('What was imported', report.issues);
  const servers = documents.flatMap((place) => readers[format](place, options));
  const issues: readonly Issue[] = [...report.issues, ...repeatedNames(servers)];
  if (issues.length > 0) throw invalidSpec('What was imported', firstOfEach(issues));
  return { format, servers, notCarried: report.notCarried, secretsInClear: report.secretsInClear };
}

type Reader = (place: Place, options: ReadingOptions) => readonly ServerWays[];

const readers: Readonly<Record<ImportFormat, Reader>> = {
  'server.json': (place, options) => entries(place).map((entry) => fromServerJson(entry, options)),
  mcpServers: (place, options) => {
    const servers = place.at('mcpServers');
    if (!Object.hasOwn(place.value as object, 'mcpServers'))
      return fromMcpServers(place, place.at('inputs'), options);
    place.leaveOthers(['mcpServers', 'inputs', '$schema']);
    return fromMcpServers(servers, place.at('inputs'), options);
  },
  vscode: (place, options) => {
    const from = place.at('servers').isAbsent ? place.at('mcp') : place;
    from.leaveOthers(['servers', 'inputs', '$schema']);
    return fromMcpServers(from.at('servers'), from.at('inputs'), options);
  },
  'docker-catalog': (place, options) => [fromDockerCatalog(place, options)],
  providers: (place) => fromProvidersYaml(place.at('providers')),
};

/** The entries of an answer of the registry: one, one in a wrapper with what the registry says of it, or a list. */
function entries(place: Place): readonly Place[] {
  const list = place.at('servers');
  const all = list.isAbsent ? [place] : list.items();
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
