/** The types a variable can have. */
export type EnvVariableType = 'string' | 'integer' | 'number' | 'boolean';

/** One variable of a definition's `envSchema`. */
export interface EnvVariable {
  readonly name: string;
  /** @defaultValue string */
  readonly type?: EnvVariableType | undefined;
  readonly description?: string | undefined;
  /** Satisfied by a `default`. @defaultValue false */
  readonly required?: boolean | undefined;
  /** A value given in clear is moved to the secret store. @defaultValue false */
  readonly secret?: boolean | undefined;
  readonly default?: string | number | boolean | undefined;
  /** The only values allowed. */
  readonly choices?: readonly (string | number | boolean)[] | undefined;
  /** An example for a form; never used as a value. */
  readonly placeholder?: string | undefined;
  /** What kind of text it is. */
  readonly format?: EnvVariableFormat | undefined;
  /** A fixed value that an instance may not change. */
  readonly value?: string | number | boolean | undefined;
}

/** The kinds of text a string variable can be. */
export type EnvVariableFormat = 'uri' | 'email' | 'hostname' | 'filepath' | 'date-time' | 'uuid';
