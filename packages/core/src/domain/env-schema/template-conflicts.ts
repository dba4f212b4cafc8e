import { pointer, type Issue } from '../errors/issue.js';
import { renderTemplate, templateOf } from './env-template.js';
import type { EnvTemplateVariable, EnvVariable } from './env-variable.js';
import { expectedValue, hasFormat, typedValue } from './variable-value.js';

/** Finds what templates and other variables say against each other: all names of an environment are of one kind. */
export function templateConflicts(variables: readonly EnvVariable[]): readonly Issue[] {
  const declared = new Map(variables.map((variable, index) => [variable.name, index]));
  const seen = new Map<string, { readonly input: string; readonly path: string }>();
  return variables.flatMap((variable, index) => {
    const issues: Issue[] = [];
    for (const [name, input] of Object.entries(variable.variables ?? {})) {
      const path = pointer(index, 'variables', name);
      const other = declared.get(name);
      const first = seen.get(name);
      if (other !== undefined) {
        const message = `${name} is a variable of its own, at ${pointer(other)}. Choose another name for the place.`;
        issues.push({ path, code: 'conflict', message });
      } else if (first && first.input !== written(input)) {
        const message = `${name} is described in another way at ${first.path}. Say the same of both, or choose another name.`;
        issues.push({ path, code: 'conflict', message });
      }
      if (!first) seen.set(name, { input: written(input), path });
    }
    return [...issues, ...misfitOfDefaults(variable, index)];
  });
}

/** What is wrong with a template whose inputs all have defaults: nobody else would be told. */
function misfitOfDefaults(variable: EnvVariable, index: number): readonly Issue[] {
  if (templateOf(variable) === undefined) return [];
  const path = pointer(index, variable.value === undefined ? 'default' : 'value');
  const rendered = renderTemplate(variable, () => undefined);
  if (rendered === undefined) return [];
  if (rendered === 'too_large') {
    return [{ path, code: 'too_large', message: 'With the defaults it becomes too long for a variable.' }];
  }
  const { text } = rendered;
  if (text.includes('${secret_ref:')) return [];
  const { choices } = variable;
  const chosen = choices === undefined || choices.some((choice) => String(choice) === text);
  const fits = typedValue(variable, text) !== undefined && hasFormat(variable, text) && chosen;
  if (fits) return [];
  const message = `With the defaults it is none: expected ${expectedValue(variable)}.`;
  return [{ path, code: 'wrong_format', message }];
}

function written(input: EnvTemplateVariable): string {
  return JSON.stringify(Object.entries(input).sort(([a], [b]) => (a < b ? -1 : 1)));
}
