/** How a document names a secret: `secret_ref:<scope>:<KEY>`. */
export type SecretReferenceText = `secret_ref:${string}:${string}`;

/** A parsed reference to a secret. */
export interface SecretReference {
  /** The owner of the secret, for example `instance_123`. */
  readonly scope: string;
  /** The name within the scope. */
  readonly key: string;
}

// A key may hold further colons; a scope may not. Both are bounded, so that no regular expression runs long.
const part = '[A-Za-z0-9_.@/-]{1,200}';
const whole = new RegExp(`^secret_ref:(${part}):(${part}(?::${part})*)$`, 'u');
const embedded = /\$\{(secret_ref:[^}]{0,600})\}/gu;

/** The identity of a reference, `<scope>:<KEY>`: the name under which a backend keeps it. */
export function secretId(reference: SecretReference): string {
  return `${reference.scope}:${reference.key}`;
}

/** Writes a reference as documents hold it. */
export function formatSecretReference(reference: SecretReference): SecretReferenceText {
  return `secret_ref:${reference.scope}:${reference.key}`;
}

/** Parses a reference, or returns `undefined` for a text that is none. */
export function parseSecretReference(text: string): SecretReference | undefined {
  if (text.length > 700) return undefined;
  const match = whole.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { scope: match[1], key: match[2] };
}

/** What a text says of secrets: the references in it, and the pieces that look like one but are malformed. */
export interface ReferenceScan {
  readonly references: readonly SecretReference[];
  readonly malformed: readonly string[];
}

/** Finds the references a text is or contains as `${secret_ref:…}`. */
export function scanReferences(text: string): ReferenceScan {
  const candidates = text.startsWith('secret_ref:')
    ? [text]
    : [...text.matchAll(embedded)].map((match) => match[1] ?? '');
  const references: SecretReference[] = [];
  const malformed: string[] = [];
  for (const candidate of candidates) {
    const reference = parseSecretReference(candidate);
    if (reference) references.push(reference);
    else malformed.push(candidate);
  }
  return { references, malformed };
}

/** Replaces each reference of a text by what `valueOf` gives for it. */
export function renderReferences(text: string, valueOf: (reference: SecretReference) => string): string {
  const sole = text.startsWith('secret_ref:') ? parseSecretReference(text) : undefined;
  if (sole) return valueOf(sole);
  return text.replaceAll(embedded, (piece, candidate: string) => {
    const reference = parseSecretReference(candidate);
    return reference ? valueOf(reference) : piece;
  });
}
