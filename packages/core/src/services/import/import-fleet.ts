import { didYouMean } from '../../domain/did-you-mean.js';
import { invalidSpec } from '../../domain/errors/issue.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { draftInputs, fillDraft, type FilledDraft } from '../../domain/import/fill-draft.js';
import type { ImportFormat } from '../../domain/import/import-format.js';
import type { NotCarried } from '../../domain/import/import-report.js';
import { readImport } from '../../domain/import/read-import.js';
import type { ImportInput, ServerDraft, ServerWays } from '../../domain/import/server-draft.js';
import { tenantOf, type Scope } from '../context/access.js';
import type { ApplyOptions, ApplyResult, DesiredState, FleetInstance } from '../documents/desired-state.js';
import type { InstanceManager } from '../instances/instance-manager.js';
import type { MCPServerInput } from '../servers/server-input.js';
import type { ServiceContext } from '../context/service-context.js';
import { ImportValues, type ImportValue } from './import-values.js';
import { withKeptSecrets } from './kept-secrets.js';
import { parseText } from './parse-text.js';

/** How something is imported. */
export interface ImportOptions extends ApplyOptions {
  /** What the document asks for, by the names in `needs`, or by `<instance>/<name>` for one instance only. */
  readonly values?: Readonly<Record<string, ImportValue>> | undefined;
  /**
   * Whether instances are made, or of which; the definitions of all are registered.
   *
   * @defaultValue true; false for a list of `providers`, which says what could run
   */
  readonly instances?: boolean | readonly string[] | undefined;
  /**
   * How to run what can be run in several ways, such as by a package or at a remote address.
   *
   * @defaultValue the first that this infra runs of docker, process, url
   */
  readonly type?: 'docker' | 'process' | 'url' | undefined;
  /** Carry mounts over; the provider still has to allow their sources. @defaultValue false */
  readonly volumes?: boolean | undefined;
}

/** A value that an instance needs or takes. */
export interface ImportNeed extends ImportInput {
  /** The name of the instance. */
  readonly instance: string;
}

/** What an import did, or with `dryRun` would do. */
export interface ImportResult extends ApplyResult {
  readonly format: ImportFormat;
  /** What has to be given before an instance can be made; instances that need nothing were made. */
  readonly needs: readonly ImportNeed[];
  /** What may be given besides. */
  readonly accepts: readonly ImportNeed[];
  /** JSON pointers to secrets that the document holds in clear; they go to the secret store. */
  readonly secretsInClear: readonly string[];
  /** What the document says and could not be carried over. */
  readonly notCarried: readonly NotCarried[];
}

/** What importing works with. */
interface ImportParts {
  readonly context: ServiceContext;
  readonly scope: Scope;
  readonly desired: DesiredState;
  readonly instances: InstanceManager;
}

const known = ['values', 'instances', 'type', 'volumes', 'dryRun', 'signal', 'actor', 'idempotencyKey'];

/** Imports text or a value of any known format. */
export async function importFleet(
  source: unknown,
  options: ImportOptions,
  parts: ImportParts,
): Promise<ImportResult> {
  refuseUnknown(options);
  const values = new ImportValues(options.values ?? {});
  const document = typeof source === 'string' ? parseText(source) : source;
  const read = readImport(document, { volumes: options.volumes === true });
  const { format, servers, notCarried, secretsInClear } = read;
  const left = [...notCarried];
  const drafts = servers.flatMap((ways) => chosenWay(ways, { options, context: parts.context, left }));
  const selected = new Set(selectedInstances(drafts, options.instances ?? format !== 'providers'));
  const wanted = drafts.filter(({ instance }) => selected.has(instance.name));
  const inputs = wanted.flatMap(({ instance, document: body }) =>
    draftInputs(body).map((input): ImportNeed => ({ instance: instance.name, ...input })),
  );
  values.refuseOthers(inputs);
  const filled = drafts.map((draft) => ({
    draft,
    result: fillDraft(draft, (input) => values.of(draft.instance.name, input)),
  }));
  const issues = filled.filter(({ draft }) => wanted.includes(draft)).flatMap(({ result }) => result.issues);
  if (issues.length > 0) throw invalidSpec('What was imported', issues);
  const ready = filled.filter(({ draft, result }) => wanted.includes(draft) && result.missing.length === 0);
  const needs = filled.flatMap(({ draft, result }) =>
    wanted.includes(draft)
      ? result.missing.map((input) => ({ instance: draft.instance.name, ...input }))
      : [],
  );
  const applied = await parts.desired.apply(
    {
      servers: filled.map(({ draft, result }) => definitionOf(draft, result)),
      instances: await instancesOf(ready, parts, options),
    },
    options,
  );
  return {
    format,
    ...applied,
    needs,
    accepts: inputs.filter(
      (input) => !needs.some((need) => need.instance === input.instance && need.name === input.name),
    ),
    secretsInClear,
    notCarried: left,
  };
}

type Filled = { readonly draft: ServerDraft; readonly result: FilledDraft };

function refuseUnknown(options: ImportOptions): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const nearest = didYouMean(unknown, known);
  const hint = nearest === undefined ? `It takes ${known.join(', ')}.` : `Did you mean "${nearest}"?`;
  throw mcpError(
    'INVALID_ARGUMENT',
    `import() takes no option ${JSON.stringify(unknown.slice(0, 60))}. ${hint}`,
  );
}

/** One of the ways to run a server; the others are said to be left. */
function chosenWay(
  ways: ServerWays,
  request: {
    readonly options: ImportOptions;
    readonly context: ServiceContext;
    readonly left: NotCarried[];
  },
): readonly ServerDraft[] {
  const { options, context, left } = request;
  const order = ['docker', 'process', 'url'];
  const types =
    options.type === undefined ? order.filter((type) => context.providers.has(type)) : [options.type];
  const chosen =
    types.flatMap((type) => ways.find(({ document }) => document.type === type) ?? [])[0] ?? ways[0];
  for (const way of ways) {
    if (way === chosen) continue;
    const { type } = way.document;
    const message = `Another way to run the server, as ${type}; the one at ${chosen?.path ?? ''} is taken. Choose with { type }.`;
    left.push({ path: way.path, message });
  }
  return chosen ? [chosen] : [];
}

function selectedInstances(
  drafts: readonly ServerDraft[],
  which: boolean | readonly string[],
): readonly string[] {
  const names = drafts.map(({ instance }) => instance.name);
  if (typeof which === 'boolean') return which ? names : [];
  const unknown = which.find((name) => !names.includes(name));
  if (unknown === undefined) return which;
  const nearest = didYouMean(unknown, names);
  const hint =
    nearest === undefined ? `It has: ${names.slice(0, 20).join(', ')}.` : `Did you mean "${nearest}"?`;
  throw mcpError(
    'INVALID_ARGUMENT',
    `The document has no server ${JSON.stringify(unknown.slice(0, 100))}. ${hint}`,
  );
}

function definitionOf({ definition }: ServerDraft, { shared }: FilledDraft): MCPServerInput {
  return { ...definition, jsonSpec: shared };
}

async function instancesOf(
  ready: readonly Filled[],
  { context, scope, instances }: ImportParts,
  options: ImportOptions,
): Promise<FleetInstance[]> {
  const result: FleetInstance[] = [];
  for (const { draft, result: filled } of ready) {
    const { name, desiredState } = draft.instance;
    const { name: server, version } = draft.definition;
    const { items } = await instances.list({ name }, options);
    const existing = items.find(({ tenant, status }) => tenant === tenantOf(scope) && status !== 'deleting');
    const jsonSpec = existing
      ? await withKeptSecrets(context, { instance: existing, jsonSpec: filled.own }, options)
      : filled.own;
    result.push({ name, server: `${server}@${version}`, desiredState, jsonSpec });
  }
  return result;
}
