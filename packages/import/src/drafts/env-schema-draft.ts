import { type EnvVariable, parseEnvSchema } from '@mcpinfra/core/plugin';
import type { ImportReport } from '../documents/import-report.js';
import type { ImportInput } from './server-draft.js';

/** The variables a definition declares, put together one by one; what does not fit is left out and said. */
export class EnvSchemaDraft {
  readonly #report: ImportReport;
  readonly #variables = new Map<string, EnvVariable>();

  constructor(report: ImportReport) {
    this.#report = report;
  }

  get variables(): readonly EnvVariable[] {
    return [...this.#variables.values()];
  }

  /** Declares a variable; gives `false` where it cannot be one. */
  declare(variable: EnvVariable, path: string): boolean {
    const known = this.#variables.get(variable.name);
    if (known) {
      const { default: _default, value: _value, ...rest } = known;
      if (variable.secret === true) this.#variables.set(variable.name, { ...rest, secret: true });
      return true;
    }
    const plain = { name: variable.name, required: variable.required, secret: variable.secret };
    const described = { ...plain, description: variable.description?.slice(0, 4_096) };
    for (const candidate of [{ ...variable, description: described.description }, described]) {
      const parsed = parseEnvSchema([candidate]);
      if (parsed.ok && parsed.variables[0]) {
        this.#variables.set(variable.name, parsed.variables[0]);
        return true;
      }
      const [issue] = parsed.ok ? [] : parsed.issues;
      const fault = issue?.message ?? '';
      this.#report.leave(
        path,
        `What is said of the variable ${JSON.stringify(variable.name.slice(0, 60))}: ${fault}`,
      );
    }
    return false;
  }
}

/** The variable that is filled by one input. */
export function variableOf(input: ImportInput): EnvVariable {
  const { name, description, required, secret, choices, placeholder, format } = input;
  const typed = format === 'number' || format === 'integer' || format === 'boolean';
  return {
    name,
    description,
    required,
    // Left open where it is none: core then looks at what the value is like.
    secret: secret || undefined,
    default: typeof input.default === 'string' ? input.default : undefined,
    choices,
    placeholder,
    type: typed ? format : undefined,
    format: typed ? undefined : format,
  };
}
