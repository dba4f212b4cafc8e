import type { FleetDocument, MCPServerInput } from '@mcpinfra/core';
import { invalidSpec } from '@mcpinfra/core/plugin';
import { chosenWay, type ImportType } from './chosen-way.js';
import type { ImportFormat } from './documents/import-format.js';
import type { NotCarried } from './documents/import-report.js';
import { parseText } from './documents/parse-text.js';
import { draftInputs } from './drafts/draft-inputs.js';
import { fillDraft, type FilledDraft } from './drafts/fill-draft.js';
import type { ImportInput, ServerDraft } from './drafts/server-draft.js';
import { ImportValues, type ImportValue } from './import-values.js';
import { readServers } from './read-servers.js';
import { refuseUnknownOptions } from './refuse-unknown-options.js';
import { selectedInstances } from './selected-instances.js';

/** How something is read. */
export interface ReadImportOptions {
  /** What the document asks for, by the names in `needs`, or by `<instance>/<name>` for one instance only. */
  readonly values?: Readonly<Record<string, ImportValue>> | undefined;
  /**
   * Whether instances are made, or of which; the definitions of all are registered.
   *
   * @defaultValue true; false for a list of `providers`, which says what could run
   */
  readonly instances?: boolean | readonly string[] | undefined;
  /**
   * How to run what can be run in several ways, such as by a package or at a remote address: the first of these there is.
   *
   * @defaultValue docker, process, url; `importFleet` takes those of them that the fleet runs
   */
  readonly type?: ImportType | readonly ImportType[] | undefined;
  /** Carry mounts over; the provider still has to allow their sources. @defaultValue false */
  readonly volumes?: boolean | undefined;
}

/** A value that an instance needs or takes. */
export interface ImportNeed extends ImportInput {
  /** The name of the instance. */
  readonly instance: string;
}

/** What was read, and what it is in the words of `infra.apply`. */
export interface ReadImport {
  /** The format that was found. */
  readonly format: ImportFormat;
  /**
   * The definitions of all servers and the instances that need nothing more. Holds secrets in clear, those of the values
   * too: apply it, and keep it nowhere.
   */
  readonly document: FleetDocument;
  /** What has to be given before an instance can be made. */
  readonly needs: readonly ImportNeed[];
  /** What may be given besides. */
  readonly accepts: readonly ImportNeed[];
  /** JSON pointers to secrets that the document holds in clear; they go to the secret store. */
  readonly secretsInClear: readonly string[];
  /** What the document says and could not be carried over. */
  readonly notCarried: readonly NotCarried[];
}

export const readingOptions = ['values', 'instances', 'type', 'volumes'] as const;

/**
 * Reads what was written for others, as text or parsed, without a fleet and without side effects.
 *
 * @param source - an entry of the official registry (`server.json`), the `mcpServers` of a client, VS Code's `servers` and
 * `inputs`, a `server.yaml` of the Docker catalogue, or a list of `providers`
 * @throws `INVALID_SPEC` with every fault of the document at once; `INVALID_ARGUMENT` for values that nothing asks for
 */
export function readImport(source: unknown, options: ReadImportOptions = {}): ReadImport {
  refuseUnknownOptions('readImport', options, readingOptions);
  const values = new ImportValues(options.values ?? {});
  const document = typeof source === 'string' ? parseText(source) : source;
  const { format, servers, notCarried, secretsInClear } = readServers(document, {
    volumes: options.volumes === true,
  });
  const choices = servers.map((ways) => chosenWay(ways, options.type));
  const drafts = choices.flatMap(({ chosen }) => chosen ?? []);
  const selected = selectedInstances(drafts, options.instances ?? format !== 'providers');
  const inputs = drafts.flatMap((draft) =>
    selected.has(draft.instance.name) ? needsOf(draft, draftInputs(draft.document)) : [],
  );
  values.refuseOthers(inputs);
  const filled = drafts.map((draft): Filled => {
    const result = fillDraft(draft, (input) => values.of(draft.instance.name, input));
    return { draft, ...result };
  });
  const wanted = filled.filter(({ draft }) => selected.has(draft.instance.name));
  const issues = wanted.flatMap((one) => one.issues);
  if (issues.length > 0) throw invalidSpec('What was imported', issues);
  const needs = wanted.flatMap(({ draft, missing }) => needsOf(draft, missing));
  const needed = new Set(needs.map(keyOf));
  return {
    format,
    document: {
      servers: filled.map(definitionOf),
      instances: wanted.filter(({ missing }) => missing.length === 0).map(instanceOf),
    },
    needs,
    accepts: inputs.filter((input) => !needed.has(keyOf(input))),
    secretsInClear,
    notCarried: [...notCarried, ...choices.flatMap(({ left }) => left)],
  };
}

interface Filled extends FilledDraft {
  readonly draft: ServerDraft;
}

function needsOf({ instance }: ServerDraft, inputs: readonly ImportInput[]): ImportNeed[] {
  return inputs.map((input) => ({ instance: instance.name, ...input }));
}

function keyOf({ instance, name }: ImportNeed): string {
  return JSON.stringify([instance, name]);
}

function definitionOf({ draft, shared }: Filled): MCPServerInput {
  return { ...draft.definition, jsonSpec: shared };
}

function instanceOf({ draft, own }: Filled) {
  const { name, desiredState } = draft.instance;
  const { name: server, version } = draft.definition;
  return { name, server: `${server}@${version}`, desiredState, jsonSpec: own };
}
