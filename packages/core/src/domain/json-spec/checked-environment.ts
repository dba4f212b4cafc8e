type Malformed<TText extends string> = `"${TText}" is no reference: write secret_ref:<scope>:<KEY>`;

type Checked<TText> = TText extends `secret_ref:${infer TRest}`
  ? TRest extends `:${string}` | `${string}:`
    ? Malformed<TText>
    : TRest extends `${string}:${string}`
      ? TText
      : Malformed<TText>
  : TText;

/**
 * Maps an environment to itself, but a literal that begins like a reference and is none to a sentence that says so, so
 * that the compiler refuses it.
 */
export type CheckedEnvironment<T extends Readonly<Record<string, string | undefined>>> = {
  readonly [K in keyof T]: Checked<T[K]>;
};
