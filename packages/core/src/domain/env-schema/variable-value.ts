import type { EnvVariable, EnvVariableFormat } from './env-variable.js';

/** A value of a variable with the type its variable has. */
export type TypedValue = string | number | boolean;

const integer = /^[+-]?\d{1,16}$/u;
const number = /^[+-]?(?:\d{1,310}(?:\.\d{0,100})?|\.\d{1,100})(?:e[+-]?\d{1,3})?$/iu;
const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/**
 * Reads the text of a variable as its type, or gives `undefined` where it is none.
 *
 * An integer is written in digits only: `1e3` is a number, and programs that read integers take it for 1. A boolean is
 * `true`, `false`, `1` or `0` in any case.
 */
export function typedValue(variable: Pick<EnvVariable, 'type'>, text: string): TypedValue | undefined {
  switch (variable.type ?? 'string') {
    case 'string':
      return text;
    case 'integer':
      return integer.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case 'number':
      return number.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
    case 'boolean':
      return booleans.get(text.toLowerCase());
  }
}

const formats: Readonly<Record<EnvVariableFormat, (text: string) => boolean>> = {
  uri: (text) => /^[a-z][a-z0-9+.-]*:\S+$/iu.test(text),
  email: (text) => text.length <= 320 && /^[^\s@]+@[^\s@]+$/u.test(text),
  hostname: (text) =>
    text.length <= 253 && /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?$/u.test(text),
  filepath: (text) => !text.includes('\0'),
  'date-time': (text) =>
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/iu.test(text) &&
    !Number.isNaN(Date.parse(text)),
  uuid: (text) => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/iu.test(text),
};

/** Tells whether a text is of the kind its variable asks for. */
export function hasFormat(variable: Pick<EnvVariable, 'format'>, text: string): boolean {
  return variable.format === undefined || formats[variable.format](text);
}

const examples = {
  string: 'text',
  integer: 'a whole number such as "30"',
  number: 'a number such as "0.5"',
  boolean: '"true" or "false"',
};

/** Says what a variable takes, for an error message. */
export function expectedValue({ type = 'string', format, choices }: EnvVariable): string {
  if (choices) return `one of ${listed(choices)}`;
  return format === undefined ? examples[type] : `text of the format ${format}`;
}

function listed(choices: readonly TypedValue[]): string {
  const texts = choices.slice(0, 20).map((choice) => JSON.stringify(String(choice).slice(0, 200)));
  return `${texts.join(', ')}${choices.length > 20 ? ', …' : ''}`;
}
