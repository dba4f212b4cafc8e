import { isSecretName, looksLikeSecret } from '@mcpinfra/core/plugin';
import type { DocumentNode } from '../documents/document-node.js';
import type { ImportInput, Template } from '../drafts/server-draft.js';
import { parseTemplate } from '../drafts/template.js';

/** What an entry of a registry gives a value by: an input, a text, or a text with inputs in it. */
export interface RegistryValue {
  readonly template: Template;
  /** Whether the value is fixed: people have no part in it. */
  readonly fixed: boolean;
  /** What is said of the entry as a whole. */
  readonly entry: ImportInput;
}

/** The inputs that a `{name}` in a text can stand for. */
export type KnownInputs = ReadonlyMap<string, ImportInput | string>;

const places = /\{([^{}]{1,200})\}/gu;

/** Reads an `Input` of a registry entry (schema 2025-12-11, and the snake_case before it). */
export function readInput(
  node: DocumentNode,
  as: Pick<ImportInput, 'name' | 'kind'> & { readonly required?: boolean | undefined },
): ImportInput {
  const fallback = node.at('default');
  const given = fallback.scalar();
  const flagged = node.at('isSecret', 'is_secret');
  const named =
    given === undefined ? flagged.isAbsent && isSecretName(as.name) : looksLikeSecret(as.name, given);
  const secret = flagged.flag() || named;
  if (secret && given !== undefined) fallback.leave('A secret has no default in clear: give it as a value.');
  const required = node.at('isRequired', 'is_required');
  const choices = node.at('choices').items();
  return {
    name: as.name,
    kind: as.kind,
    path: node.path,
    required: required.isAbsent ? as.required === true : required.flag(),
    secret,
    description: node.at('description').text(),
    placeholder: node.at('placeholder').text(),
    ...(given === undefined || secret ? {} : { default: given }),
    ...(choices.length === 0 ? {} : { choices: choices.flatMap((choice) => choice.scalar() ?? []) }),
    ...formatOf(node.at('format')),
    ...(node.at('isRepeated', 'is_repeated').flag() ? { repeated: true } : {}),
  };
}

/** Reads an entry that may have a fixed `value` with `variables` in it; without one it is an input itself. */
export function readValue(
  node: DocumentNode,
  as: Pick<ImportInput, 'name' | 'kind'>,
  known: KnownInputs = new Map(),
): RegistryValue {
  const value = node.at('value').scalar();
  const own = readInput(node, as);
  if (value === undefined) return { template: [own], fixed: false, entry: own };
  const variables = node.at('variables');
  const made = new Map<string, ImportInput>();
  const template = parseTemplate(value, places, (name) => {
    const variable = variables.at(name);
    if (variable.isAbsent) return known.get(name);
    const read = made.get(name) ?? readInput(variable, { name, kind: 'input', required: own.required });
    const input = own.secret ? { ...read, secret: true, default: undefined } : read;
    made.set(name, input);
    return input;
  });
  const [only] = template;
  // One place and nothing around it: the entry's own name says more than that of the place.
  if (template.length === 1 && typeof only === 'object') {
    const named = { ...only, name: as.name, kind: as.kind, secret: only.secret || own.secret };
    return { template: [named], fixed: false, entry: own };
  }
  return { template, fixed: template.every((part) => typeof part === 'string'), entry: own };
}

/** Reads the URL of a transport, whose places stand for its own variables or for inputs of the package. */
export function readAddress(node: DocumentNode, known: KnownInputs): Template {
  const variables = node.at('variables');
  return parseTemplate(node.at('url').text() ?? '', places, (name) => {
    const variable = variables.at(name);
    return variable.isAbsent ? known.get(name) : readInput(variable, { name, kind: 'input', required: true });
  });
}

function formatOf(node: DocumentNode): Pick<ImportInput, 'format'> {
  const format = node.text();
  return format === 'number' || format === 'boolean' || format === 'filepath' ? { format } : {};
}
