import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { collectReferences } from '../../domain/json-spec/collect-references.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { referenceTextAt } from '../../domain/json-spec/move-credentials.js';
import { isVersionKey, versionAt, type SecretPlace } from '../../domain/secrets/secret-keys.js';
import { parseSecretReference, type SecretReference } from '../../domain/secrets/secret-reference.js';
import { secretScopeOf } from '../../domain/secrets/secret-scopes.js';

/** A value that is kept for a place of a document. */
export interface KeptVersion {
  /** As the document names it. */
  readonly text: string;
  readonly reference: SecretReference;
  readonly version: string;
}

/** The keys of versions, in the scope of an instance, that a document names. */
export function versionsIn(instanceId: string, spec: JsonSpec | null | undefined): ReadonlySet<string> {
  const scope = secretScopeOf(instanceId);
  const own = spec ? collectReferences(spec).filter((reference) => reference.scope === scope) : [];
  return new Set(own.map(({ key }) => key).filter(isVersionKey));
}

/** The keys of versions that may come back: wished, running, or about to run. */
export function versionsOf({ id, jsonSpec, runtime }: InstanceRecord): ReadonlySet<string> {
  const documents = [jsonSpec, runtime.active?.spec, runtime.candidate?.spec];
  return new Set(documents.flatMap((spec) => [...versionsIn(id, spec)]));
}

/** The version that a document names at a place, where that is one of the value there. */
export function versionKeptAt(
  instanceId: string,
  spec: JsonSpec | null,
  place: SecretPlace,
): KeptVersion | undefined {
  const text = spec ? referenceTextAt(spec, place) : undefined;
  const reference = text === undefined ? undefined : parseSecretReference(text);
  if (text === undefined || reference?.scope !== secretScopeOf(instanceId)) return undefined;
  const version = versionAt(place, reference.key);
  return version === undefined ? undefined : { text, reference, version };
}
