import type { Issue } from '@mcpinfra/core/plugin';

type Fields = Readonly<Record<string, unknown>>;

/** What one part of a draft becomes. */
export interface FilledPart {
  /** What every instance of the definition has. */
  readonly shared?: Fields;
  /** What this instance has of its own. */
  readonly own?: Fields;
  readonly issues?: readonly Issue[];
}

/** A field that is left out when it holds nothing. */
export function unlessEmpty(name: string, value: object): Fields {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}
