import { renderTemplate, templateInputs, templateOf } from './env-template.js';
import type { EnvVariable } from './env-variable.js';
import { missingVariable } from './environment-faults.js';
import { isDemanded } from './environment-json-schema.js';
import type { ReportedIssues } from './reported-issues.js';

/** The text of a template, and the given inputs it is made of. */
export interface MadeText {
  readonly text: string;
  readonly from: readonly string[];
}

/** What there is of an environment before its types are looked at. */
export interface KnownTexts {
  readonly given: ReadonlyMap<string, string>;
  readonly made: ReadonlyMap<string, MadeText>;
}

/** Fills in the templates, but for those a value is given in place of. Reports inputs that are missing, and texts too long. */
export function madeTexts(
  variables: readonly EnvVariable[],
  given: ReadonlyMap<string, string>,
  issues: ReportedIssues,
): ReadonlyMap<string, MadeText> {
  const made = new Map<string, MadeText>();
  for (const variable of variables) {
    if (templateOf(variable) === undefined) continue;
    if (variable.value === undefined && given.has(variable.name)) continue;
    const inputs = templateInputs(variable);
    for (const input of inputs) {
      if (isDemanded(input) && !given.has(input.name))
        issues.report(input.name, 'required', missingVariable(input));
    }
    const from = inputs.map(({ name }) => name).filter((name) => given.has(name));
    const rendered = renderTemplate(variable, (name) => given.get(name));
    if (rendered === 'too_large') {
      const message = `${variable.name} is made of it and becomes too long.`;
      issues.report(from[0] ?? variable.name, 'too_large', message);
    } else if (rendered) made.set(variable.name, { text: rendered.text, from });
  }
  return made;
}
