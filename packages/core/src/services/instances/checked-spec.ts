import type { CheckedEnvironment, Mistake } from '../../domain/json-spec/checked-environment.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';

/**
 * Refuses, when compiled, a field that the type of the document does not have and a reference that is malformed.
 *
 * Inference of a literal type turns off TypeScript's own check for unknown fields, so it is made here.
 */
export type CheckedSpec<T extends JsonSpec, TSpec extends JsonSpec> = {
  readonly [K in Exclude<keyof T, keyof Extract<TSpec, { readonly type: T['type'] }>>]: UnknownField<
    K,
    keyof Extract<TSpec, { readonly type: T['type'] }>
  >;
} & (T extends { readonly environment: infer E extends Readonly<Record<string, string>> }
  ? { readonly environment: CheckedEnvironment<E> }
  : unknown) &
  (T extends { readonly headers: infer H extends Readonly<Record<string, string>> }
    ? { readonly headers: CheckedEnvironment<H> }
    : unknown);

/** The sentence of the compiler about a field that there is not. */
export type UnknownField<K, TKnown> = K extends string
  ? SnakeCase<K> extends TKnown
    ? Mistake<`"${K}" is written ${Extract<SnakeCase<K>, string>} in a document`>
    : Mistake<`"${K}" is no field of a document of this type`>
  : never;

/** A name as documents write it: `stopGrace` becomes `stop_grace`. */
export type SnakeCase<T extends string> = T extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : T;

/** A document as it is given: the `image` may be left out where the server names one. */
export type SpecInput<TSpec extends JsonSpec> = TSpec extends { readonly image: string }
  ? Omit<TSpec, 'image'> & Partial<Pick<TSpec, 'image'>>
  : TSpec;

/** A merge patch (RFC 7396) of a value: every part may be left out, `null` removes one, arrays are replaced as a whole. */
export type MergePatch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: MergePatch<T[K]> | null | undefined }
    : T;

/** A merge patch of a document of one of these types, with no field of another; where they are not known, of any. */
export type SpecPatch<TSpec extends JsonSpec, TAll extends JsonSpec = TSpec> = JsonSpec extends TSpec
  ? Readonly<Record<string, unknown>>
  : TSpec extends JsonSpec
    ? MergePatch<TSpec> & {
        readonly [K in Exclude<TAll extends unknown ? keyof TAll : never, keyof TSpec>]?: never;
      }
    : never;

/** Refuses, when compiled, a field of a patch that no type of document has, and a reference that is malformed. */
export type CheckedPatch<P, TSpec extends JsonSpec> = (JsonSpec extends TSpec
  ? unknown
  : KnownFields<P, TSpec>) &
  (P extends { readonly environment: infer E extends Readonly<Record<string, string | null>> }
    ? { readonly environment: CheckedEnvironment<E> }
    : unknown) &
  (P extends { readonly headers: infer H extends Readonly<Record<string, string | null>> }
    ? { readonly headers: CheckedEnvironment<H> }
    : unknown);

/** Refuses, when compiled, every field of a patch that no type of document has. */
export type KnownFields<P, T> = P extends readonly unknown[]
  ? unknown
  : P extends object
    ? // What was read from outside has any names; it is checked when it comes in.
      string extends keyof P
      ? unknown
      : {
          readonly [K in keyof P]: K extends (T extends unknown ? keyof T : never)
            ? KnownFields<
                P[K],
                Extract<T extends unknown ? (K extends keyof T ? T[K] : never) : never, object>
              >
            : UnknownField<K, T extends unknown ? keyof T : never>;
        }
    : unknown;
