import { renderReferences, scanReferences } from '@mcpinfra/core/plugin';

/**
 * The variables of a document that hold secrets, each with the texts that surround the references in it.
 *
 * Kept as a label of the container, so that a later host can tell the secrets from the rest of the environment and
 * take them out of log lines without asking a secret backend.
 */
export type SecretTemplates = Readonly<Record<string, readonly string[]>>;

// Cannot occur in a variable.
const mark = '\0';

/** Finds the variables of a document that hold secrets. */
export function secretTemplates(environment: Readonly<Record<string, string>> = {}): SecretTemplates {
  return Object.fromEntries(
    Object.entries(environment)
      .filter(([, text]) => scanReferences(text).references.length > 0)
      .map(([name, text]) => [name, renderReferences(text, () => mark).split(mark)]),
  );
}

/** Finds the secrets within the values of variables; a value that does not fit its template counts as a whole. */
export function secretsWithin(
  templates: SecretTemplates,
  values: ReadonlyMap<string, string>,
): readonly string[] {
  return Object.entries(templates).flatMap(([name, template]) => {
    const value = values.get(name);
    if (value === undefined) return [];
    const pattern = new RegExp(`^${template.map(escaped).join('([^]*)')}$`, 'u');
    return [value, ...(pattern.exec(value)?.slice(1) ?? [])];
  });
}

/** Reads the label back; nothing for one that is missing or was changed. */
export function parseTemplates(label: string | undefined): SecretTemplates {
  try {
    const parsed: unknown = JSON.parse(label ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, string[]] => isTemplate(entry[1])),
    );
  } catch {
    return {};
  }
}

function isTemplate(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string');
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`);
}
