import { isObject, kindOf, pointer, type Issue } from '@mcpinfra/core/plugin';

/** How a document of the platform is read. */
export interface SpecTranslation {
  readonly instanceId: string;
  /** The scope of references that stand for the Go manager's keys; `null` where references are taken as written. */
  readonly legacySecretScope: string | null;
}

/** A document as this library has it, with what was changed, or everything that is wrong with it. */
export type TranslatedSpec =
  | {
      readonly ok: true;
      readonly jsonSpec: { readonly type: string } & Readonly<Record<string, unknown>>;
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** What the platform keeps in a document for itself. */
const platformFields = ['env_vars', 'available_tools', 'is_public', 'tags'];
/** What the platform's API demands of every document and means nothing to a remote server. */
const containerFields = ['image', 'port', 'environment', 'cmd', 'command', 'resources'];

/**
 * Makes a document of the platform one of this library. What only this library can judge is left for it to refuse.
 *
 * A missing `type` is `docker`, as for the Go manager, or `url` where there is an address and no image; fields that are
 * null are left out; `cmd` is `command`; values of variables become text.
 */
export function translateSpec(given: unknown, translation: SpecTranslation): TranslatedSpec {
  if (!isObject(given)) {
    const message = `Expected json_spec to be an object such as { "type": "docker", "image": "…" }, but got ${kindOf(given)}.`;
    return { ok: false, issues: [{ path: '/json_spec', code: 'wrong_type', message }] };
  }
  const notes: string[] = [];
  const fields = new Map(Object.entries(given).filter(([, value]) => value !== null));
  const drop = (names: readonly string[], why: string): void => {
    const dropped = names.filter((name) => fields.delete(name));
    if (dropped.length > 0) notes.push(`${dropped.join(', ')} left out: ${why}`);
  };
  drop(platformFields, 'the platform keeps it for itself');
  rename(fields, 'cmd', 'command');
  rename(fields, 'endpoint_url', 'endpoint');
  if (!fields.has('type')) {
    const type = fields.has('endpoint') && !fields.has('image') ? 'url' : 'docker';
    fields.set('type', type);
    notes.push(`type is missing and taken as ${type}`);
  }
  if (fields.get('type') === 'url') drop(containerFields, 'a remote server has none');
  const issues: Issue[] = [];
  const environment = fields.get('environment');
  if (isObject(environment)) {
    const values = new Map(Object.entries(environment));
    for (const [name, value] of values) {
      const text = variableText(value);
      if (text !== undefined) values.set(name, inLegacyScope(name, text, translation));
      else if (value === null) {
        values.delete(name);
        notes.push(`the variable ${name} left out: it is null`);
      } else {
        const message = `Expected text, a number or a boolean, but got ${kindOf(value)}. Write it as text.`;
        issues.push({ path: pointer('json_spec', 'environment', name), code: 'wrong_type', message });
      }
    }
    fields.set('environment', Object.fromEntries(values));
  }
  if (issues.length > 0) return { ok: false, issues };
  // A type that is no text is left for core to refuse.
  const jsonSpec = Object.fromEntries(fields) as { type: string } & Record<string, unknown>;
  return { ok: true, jsonSpec, notes };
}

function rename(fields: Map<string, unknown>, from: string, to: string): void {
  // Both at once are left for the schema to refuse.
  if (!fields.has(from) || fields.has(to)) return;
  fields.set(to, fields.get(from));
  fields.delete(from);
}

function variableText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** The Go manager ignores what is written after `secret_ref:` and looks under a key made of instance and variable. */
function inLegacyScope(name: string, text: string, translation: SpecTranslation): string {
  const { instanceId, legacySecretScope } = translation;
  if (legacySecretScope === null || !text.startsWith('secret_ref:')) return text;
  return `secret_ref:${legacySecretScope}:mcp_instance_${instanceId}_${name}`;
}
