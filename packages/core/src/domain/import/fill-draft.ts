import type { Issue } from '../errors/issue.js';
import { looksLikeSecret } from '../secrets/looks-like-secret.js';
import { scanReferences } from '../secrets/secret-reference.js';
import { mountOf } from './mount-text.js';
import type { ArgumentGroup, DocumentDraft, ImportInput, ServerDraft, Template } from './server-draft.js';
import { inputsOf } from './template.js';

/** The values given for an input; `undefined` for none. */
export type ValuesOf = (input: ImportInput) => readonly string[] | undefined;

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

/** The inputs of a draft, each once. */
export function draftInputs({
  command,
  environment,
  headers,
  volumes,
  endpoint,
  listens,
}: DocumentDraft): ImportInput[] {
  return inputsOf([
    ...environment.values(),
    ...headers.values(),
    ...command.flat(),
    ...volumes.map(({ text }) => text),
    ...(endpoint ? [endpoint] : []),
    ...(listens ? [listens.url] : []),
  ]);
}

/** Puts values into a draft. An optional part whose value is not given is left out. */
export function fillDraft(draft: ServerDraft, given: ValuesOf): FilledDraft {
  const { document } = draft;
  const inputs = draftInputs(document);
  const valuesOf: ValuesOf = (input) => given(input) ?? defaultOf(input);
  const fill = (template: Template, nth = 0): string | undefined => {
    const parts = template.map((part) =>
      typeof part === 'string' ? part : valuesOf(part)?.[part.repeated === true ? nth : 0],
    );
    return parts.includes(undefined) ? undefined : parts.join('');
  };
  const missing = inputs.filter((input) => input.required && (valuesOf(input)?.length ?? 0) === 0);
  const issues = [
    ...inputs.flatMap((input) => valueIssues(input, given(input) ?? [])),
    ...shownInputs(document).flatMap((input) => shownSecrets(input, given(input) ?? [])),
  ];

  const isStatic = document.command.flat().every((template) => inputsOf([template]).length === 0);
  const command = document.command.flatMap((group) => filledGroup(group, { fill, valuesOf }));
  const withDefault = draft.definition.envSchema.filter((variable) => variable.default !== undefined);
  const defaults = new Set(withDefault.map(({ name }) => name));
  const environment = new Map<string, string>();
  for (const [name, template] of document.environment) {
    const [only] = template;
    // The definition fills in the default of a variable that is one input.
    const left = template.length === 1 && typeof only === 'object' && given(only) === undefined;
    const text = left && defaults.has(name) ? undefined : fill(template);
    if (text !== undefined) environment.set(name, text);
  }
  const volumes = document.volumes.flatMap(({ text, syntax, path }) => {
    const filled = fill(text);
    const mount = filled === undefined ? undefined : mountOf(filled, syntax);
    if (filled !== undefined && !mount)
      issues.push({ path, code: 'wrong_format', message: 'Expected a mount such as /srv/docs:/data:ro.' });
    return mount ?? [];
  });
  const { listens, endpoint, fixed } = document;
  const address = listens && fill(listens.url);
  const reached = listens && address !== undefined ? reachOf(listens, address) : {};
  if (!reached) {
    issues.push({
      path: draft.path,
      code: 'wrong_format',
      message: 'Expected the URL of its transport to have a port.',
    });
  }
  const remote = endpoint && fill(endpoint);
  const away = remote === undefined ? {} : { endpoint: remote };
  const isFixed = endpoint !== undefined && inputsOf([endpoint]).length === 0;
  const argv = command.length === 0 ? {} : { command };
  const shared = {
    type: document.type,
    ...fixed,
    ...(isStatic ? argv : {}),
    ...(isFixed ? away : {}),
  };
  const own = {
    type: document.type,
    ...(isStatic ? {} : argv),
    ...(isFixed ? {} : away),
    ...reached,
    ...(environment.size === 0 ? {} : { environment: Object.fromEntries(environment) }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...headersOf(document, fill, issues),
  };
  return { shared, own, missing, issues };
}

function defaultOf({ default: fallback }: ImportInput): readonly string[] | undefined {
  return typeof fallback === 'string' ? [fallback] : fallback;
}

function valueIssues(input: ImportInput, values: readonly string[]): Issue[] {
  const { name, path, choices, repeated } = input;
  if (values.length > 1 && repeated !== true)
    return [{ path, code: 'wrong_type', message: `${JSON.stringify(name)} takes one value, not a list.` }];
  if (!choices || values.every((value) => choices.includes(value))) return [];
  const message = `${JSON.stringify(name)} takes one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}.`;
  return [{ path, code: 'not_a_choice', message }];
}

/** The inputs whose values stand where everybody sees them. */
function shownInputs({ command, endpoint, volumes }: DocumentDraft): ImportInput[] {
  return inputsOf([...command.flat(), ...volumes.map(({ text }) => text), ...(endpoint ? [endpoint] : [])]);
}

function shownSecrets({ name, path }: ImportInput, values: readonly string[]): Issue[] {
  if (!values.some((value) => looksLikeSecret('', value))) return [];
  const message = `The value for ${JSON.stringify(name)} looks like a secret, and would be shown by process lists and logs.`;
  return [{ path, code: 'secret_in_clear', message }];
}

function filledGroup(
  group: ArgumentGroup,
  {
    fill,
    valuesOf,
  }: { readonly fill: (template: Template, nth?: number) => string | undefined; readonly valuesOf: ValuesOf },
): string[] {
  const repeated = inputsOf(group).filter((input) => input.repeated === true);
  const times =
    repeated.length === 0 ? 1 : Math.max(...repeated.map((input) => valuesOf(input)?.length ?? 0));
  return Array.from({ length: times }).flatMap((_, nth) => {
    const texts = group.map((template) => fill(template, nth));
    return texts.includes(undefined) ? [] : (texts as string[]);
  });
}

function reachOf(
  { transport, ports }: NonNullable<DocumentDraft['listens']>,
  address: string,
): object | undefined {
  if (!URL.canParse(address)) return undefined;
  const { port, pathname, protocol } = new URL(address);
  const outside = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  const inside = Number(ports.get(outside) ?? outside);
  if (!Number.isInteger(inside) || inside < 1) return undefined;
  return { transport, port: inside, ...(pathname === '/' ? {} : { path: pathname }) };
}

function headersOf(
  { headers }: DocumentDraft,
  fill: (template: Template) => string | undefined,
  issues: Issue[],
): Readonly<Record<string, unknown>> {
  const plain: [string, string][] = [];
  let authentication: object | undefined;
  for (const [name, template] of headers) {
    const value = fill(template);
    if (value === undefined) continue;
    const input = template.find((part): part is ImportInput => typeof part !== 'string' && part.secret);
    const known =
      /^(?:authorization|cookie|proxy-authorization)$/iu.test(name) || looksLikeSecret(name, value);
    // A header whose name does not tell that it is a secret would be stored in clear.
    const hidden = input && !known && scanReferences(value).references.length === 0;
    if (hidden !== true) plain.push([name, value]);
    else if (authentication) {
      const message =
        'One secret header of such a name can be kept, and there is another. Give a reference secret_ref:<scope>:<KEY>.';
      issues.push({ path: input.path, code: 'secret_in_clear', message });
    } else authentication = { type: 'header', name, value };
  }
  return {
    ...(plain.length === 0 ? {} : { headers: Object.fromEntries(plain) }),
    ...(authentication ? { authentication } : {}),
  };
}
