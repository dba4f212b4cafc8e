import type { Place } from './place.js';
import { isSecretName } from './secret-like.js';
import type { ImportInput, Template } from './server-draft.js';
import { parseTemplate } from './template.js';

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
  place: Place,
  as: Pick<ImportInput, 'name' | 'kind'> & { readonly required?: boolean | undefined },
): ImportInput {
  const fallback = place.at('default');
  const given = fallback.scalar();
  const flagged = place.at('isSecret', 'is_secret');
  const secret = flagged.isAbsent ? given === undefined && isSecretName(as.name) : flagged.flag();
  if (secret && given !== undefined) fallback.leave('A secret has no default in clear: give it as a value.');
  const required = place.at('isRequired', 'is_required');
  const choices = place.at('choices').items();
  return {
    name: as.name,
    kind: as.kind,
    path: place.path,
    required: required.isAbsent ? as.required === true : required.flag(),
    secret,
    description: place.at('description').text(),
    placeholder: place.at('placeholder').text(),
    ...(given === undefined || secret ? {} : { default: given }),
    ...(choices.length === 0 ? {} : { choices: choices.flatMap((choice) => choice.scalar() ?? []) }),
    ...formatOf(place.at('format')),
    ...(place.at('isRepeated', 'is_repeated').flag() ? { repeated: true } : {}),
  };
}

/** Reads an entry that may have a fixed `value` with `variables` in it; without one it is an input itself. */
export function readValue(
  place: Place,
  as: Pick<ImportInput, 'name' | 'kind'>,
  known: KnownInputs = new Map(),
): RegistryValue {
  const value = place.at('value').scalar();
  const own = readInput(place, as);
  if (value === undefined) return { template: [own], fixed: false, entry: own };
  const variables = place.at('variables');
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
export function readAddress(place: Place, known: KnownInputs): Template {
  const variables = place.at('variables');
  return parseTemplate(place.at('url').text() ?? '', places, (name) => {
    const variable = variables.at(name);
    return variable.isAbsent ? known.get(name) : readInput(variable, { name, kind: 'input', required: true });
  });
}

function formatOf(place: Place): Pick<ImportInput, 'format'> {
  const format = place.text();
  return format === 'number' || format === 'boolean' || format === 'filepath' ? { format } : {};
}
