import { parseSecretReference } from '../secrets/secret-reference.js';
import type { EnvVariable } from './env-variable.js';

const places = /\{([^{}]{1,255})\}/gu;

// Linux takes no longer text of one variable (MAX_ARG_STRLEN); a short template can repeat a long text often.
const longest = 128 * 1024;

/** The text with places of a variable; `undefined` where it has none. */
export function templateOf(
  variable: Pick<EnvVariable, 'value' | 'default' | 'variables'>,
): string | undefined {
  const text = variable.value ?? variable.default;
  return variable.variables === undefined || text === undefined ? undefined : String(text);
}

/** The names of the places of a text. */
export function placesOf(template: string): ReadonlySet<string> {
  return new Set([...template.matchAll(places)].map((match) => match[1] ?? ''));
}

/** What an instance gives for the places of a variable, each as a variable of its own. */
export function templateInputs(variable: EnvVariable): readonly EnvVariable[] {
  return Object.entries(variable.variables ?? {}).map(([name, input]) => ({
    ...input,
    name,
    // A default, an empty one too, is enough where only the whole is required.
    required: input.required === true || (variable.required === true && input.default === undefined),
    secret: variable.secret === true ? true : input.secret,
  }));
}

/** The inputs of all variables by name; one that fills several has the demands of all. */
export function allInputs(variables: readonly EnvVariable[]): ReadonlyMap<string, EnvVariable> {
  const inputs = new Map<string, EnvVariable>();
  for (const input of variables.flatMap(templateInputs)) {
    const known = inputs.get(input.name);
    inputs.set(input.name, {
      ...input,
      required: known?.required === true || input.required,
      secret: known?.secret === true ? true : input.secret,
    });
  }
  return inputs;
}

/**
 * Fills the places of a variable's template.
 *
 * A reference becomes one within a text, so that the whole is rendered where references are. A place that is no input
 * stays as it is.
 *
 * @param textOf - the text given for an input, or `undefined` where none was
 * @returns `undefined` where an input has neither a text nor a default, `'too_large'` where the system takes no such text
 */
export function renderTemplate(
  variable: EnvVariable,
  textOf: (name: string) => string | undefined,
): { readonly text: string } | 'too_large' | undefined {
  const texts = new Map<string, string>();
  for (const { name, default: fallback } of templateInputs(variable)) {
    const text = textOf(name) ?? (fallback === undefined ? undefined : String(fallback));
    if (text === undefined) return undefined;
    texts.set(name, parseSecretReference(text) ? `\${${text}}` : text);
  }
  let length = 0;
  const text = (templateOf(variable) ?? '').replaceAll(places, (place, name: string) => {
    const filled = texts.get(name) ?? place;
    length += filled.length;
    return length > longest ? '' : filled;
  });
  return length > longest ? 'too_large' : { text };
}
