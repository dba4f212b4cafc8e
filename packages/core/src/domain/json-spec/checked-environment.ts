/**
 * The sentence of the compiler about a value, which fits no type of these. A text of its own would not do: with the text
 * that was given it makes a type that is empty, and the compiler then speaks of `never`.
 */
export interface Mistake<TSentence extends string> {
  readonly mistake: TSentence;
}

/**
 * Maps an environment to itself, but a literal that begins like a reference and is none to a sentence that says so, so
 * that the compiler refuses it.
 */
export type CheckedEnvironment<T extends Readonly<Record<string, string | null | undefined>>> = {
  readonly [K in keyof T]: T[K] extends `secret_ref:${infer TRest}`
    ? TRest extends `:${string}` | `${string}:`
      ? Mistake<`"${T[K]}" is no reference: write secret_ref:<scope>:<KEY>`>
      : TRest extends `${string}:${string}`
        ? T[K]
        : Mistake<`"${T[K]}" is no reference: write secret_ref:<scope>:<KEY>`>
    : T[K];
};
