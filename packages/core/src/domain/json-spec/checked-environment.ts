/**
 * Maps an environment to itself, but a literal that begins like a reference and is none to a sentence that says so, so
 * that the compiler refuses it.
 */
export type CheckedEnvironment<T extends Readonly<Record<string, string | null | undefined>>> = {
  readonly [K in keyof T]: T[K] extends `secret_ref:${infer TRest}`
    ? TRest extends `:${string}` | `${string}:`
      ? `"${T[K]}" is no reference: write secret_ref:<scope>:<KEY>`
      : TRest extends `${string}:${string}`
        ? T[K]
        : `"${T[K]}" is no reference: write secret_ref:<scope>:<KEY>`
    : T[K];
};
