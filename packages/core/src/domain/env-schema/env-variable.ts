/** The types a variable can have. */
export type EnvVariableType = 'string' | 'integer' | 'number' | 'boolean';

/** What an instance gives for one place of a template. */
export interface EnvTemplateVariable {
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
}

/** One variable of a definition's `envSchema`. */
export interface EnvVariable extends EnvTemplateVariable {
  readonly name: string;
  /** A fixed value that an instance may not change. */
  readonly value?: string | number | boolean | undefined;
  /**
   * What fills each `{name}` of a `value` or `default`, such as `Bearer {token}`. An instance gives it as an entry of its
   * `environment` of that name, which reaches the server only as part of this variable.
   *
   * Where one is not given and has no default, the variable is left out; a required variable makes all of them required,
   * a secret one all of them secrets.
   */
  readonly variables?: Readonly<Record<string, EnvTemplateVariable>> | undefined;
}

/** The kinds of text a string variable can be. */
export type EnvVariableFormat = 'uri' | 'email' | 'hostname' | 'filepath' | 'date-time' | 'uuid';
