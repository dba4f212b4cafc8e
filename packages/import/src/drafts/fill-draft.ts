import { parseSecretReference, type Issue } from '@mcpinfra/core/plugin';
import { isSecretAddress } from './secret-address.js';
import { draftInputs } from './draft-inputs.js';
import { DraftValues, type ValuesOf } from './draft-values.js';
import { fillHeaders } from './fill-headers.js';
import { unlessEmpty, type FilledPart } from './filled-part.js';
import { inputIssues } from './input-issues.js';
import { mountOf } from './mount-text.js';
import type { ArgumentGroup, DocumentDraft, ImportInput, ServerDraft } from './server-draft.js';
import { inputsOf } from './template.js';

/** A draft with its values. */
export interface FilledDraft {
  /** What every instance of the definition has. */
  readonly shared: Readonly<Record<string, unknown>>;
  /** What this instance has of its own. Holds secrets in clear. */
  readonly own: Readonly<Record<string, unknown>>;
  /** What has to be given and is not. */
  readonly missing: readonly ImportInput[];
  readonly issues: readonly Issue[];
}

/** Puts values into a draft. An optional part whose value is not given is left out. */
export function fillDraft(draft: ServerDraft, given: ValuesOf): FilledDraft {
  const { document } = draft;
  const { type, fixed } = document;
  const values = new DraftValues(given);
  const parts: readonly FilledPart[] = [
    fillCommand(document, values),
    fillEnvironment(draft, values),
    fillVolumes(document, values),
    fillListening(draft, values),
    fillEndpoint(document, values),
    fillHeaders(document, values),
  ];
  return {
    shared: Object.assign({ type, ...fixed }, ...parts.map(({ shared }) => shared)) as FilledDraft['shared'],
    own: Object.assign({ type }, ...parts.map(({ own }) => own)) as FilledDraft['own'],
    missing: draftInputs(document).filter((input) => input.required && (values.of(input)?.length ?? 0) === 0),
    issues: [...inputIssues(document, given), ...parts.flatMap(({ issues = [] }) => issues)],
  };
}

function fillCommand({ command }: DocumentDraft, values: DraftValues): FilledPart {
  const filled = unlessEmpty(
    'command',
    command.flatMap((group) => fillGroup(group, values)),
  );
  return inputsOf(command.flat()).length === 0 ? { shared: filled } : { own: filled };
}

function fillGroup(group: ArgumentGroup, values: DraftValues): string[] {
  const repeated = inputsOf(group).filter((input) => input.repeated === true);
  const times =
    repeated.length === 0 ? 1 : Math.max(...repeated.map((input) => values.of(input)?.length ?? 0));
  return Array.from({ length: times }).flatMap((_, nth) => {
    const texts = group.map((template) => values.fill(template, nth));
    return texts.includes(undefined) ? [] : (texts as string[]);
  });
}

function fillEnvironment({ document, definition }: ServerDraft, values: DraftValues): FilledPart {
  const withDefault = definition.envSchema.filter((variable) => variable.default !== undefined);
  const defaults = new Set(withDefault.map(({ name }) => name));
  const environment = new Map<string, string>();
  for (const [name, template] of document.environment) {
    const [only] = template;
    // The definition fills in the default of a variable that is one input.
    const left = template.length === 1 && typeof only === 'object' && values.given(only) === undefined;
    const text = left && defaults.has(name) ? undefined : values.fill(template);
    if (text !== undefined) environment.set(name, text);
  }
  return { own: unlessEmpty('environment', Object.fromEntries(environment)) };
}

function fillVolumes({ volumes }: DocumentDraft, values: DraftValues): FilledPart {
  const issues: Issue[] = [];
  const mounts = volumes.flatMap(({ text, syntax, path }) => {
    const filled = values.fill(text);
    if (filled === undefined) return [];
    const mount = mountOf(filled, syntax);
    if (!mount)
      issues.push({ path, code: 'wrong_format', message: 'Expected a mount such as /srv/docs:/data:ro.' });
    return mount ?? [];
  });
  return { own: unlessEmpty('volumes', mounts), issues };
}

/** Where a server that runs here listens. */
function fillListening({ document: { listens }, path }: ServerDraft, values: DraftValues): FilledPart {
  const address = listens && values.fill(listens.url);
  if (!listens || address === undefined) return {};
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const inside = url && insidePort(url, listens.ports);
  if (!url || inside === undefined) {
    const message = 'Expected the URL of its transport to have a port.';
    return { issues: [{ path, code: 'wrong_format', message }] };
  }
  const { transport } = listens;
  return { own: { transport, port: inside, ...(url.pathname === '/' ? {} : { path: url.pathname }) } };
}

function insidePort({ port, protocol }: URL, ports: ReadonlyMap<string, string>): number | undefined {
  const outside = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  const inside = Number(ports.get(outside) ?? outside);
  return Number.isInteger(inside) && inside >= 1 ? inside : undefined;
}

function fillEndpoint({ endpoint = [] }: DocumentDraft, values: DraftValues): FilledPart {
  if (endpoint.length === 0) return {};
  const texts = endpoint.map((part) => {
    if (typeof part === 'string') return part;
    const [value] = values.of(part) ?? [];
    return value === undefined || !part.secret ? value : asParameter(value);
  });
  if (texts.includes(undefined)) return {};
  const filled = { endpoint: texts.join('') };
  const isOwn = inputsOf([endpoint]).length > 0 || isSecretAddress(filled.endpoint);
  return isOwn ? { own: filled } : { shared: filled };
}

/** A secret as it stands in a url, so that none of it becomes another parameter. */
function asParameter(secret: string): string {
  return parseSecretReference(secret) ? `\${${secret}}` : encodeURIComponent(secret);
}
