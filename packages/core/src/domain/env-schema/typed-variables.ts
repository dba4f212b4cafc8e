import type { DeclaredVariables } from './declared-variables.js';
import { templateOf } from './env-template.js';
import type { EnvVariable } from './env-variable.js';
import { fixedVariable, misfittingVariable, missingVariable } from './environment-faults.js';
import { isDemanded } from './environment-json-schema.js';
import { isReference } from './clear-secrets.js';
import type { KnownTexts } from './made-texts.js';
import type { ReportedIssues } from './reported-issues.js';
import { hasFormat, typedValue, type TypedValue } from './variable-value.js';

/**
 * Reads each text as the type of its variable. Reports what is missing, what may not be given and what has another format;
 * a reference fits every type.
 */
export function typedVariables(
  { all, inputs }: DeclaredVariables,
  { given, made }: KnownTexts,
  issues: ReportedIssues,
): Readonly<Record<string, TypedValue>> {
  // Without a prototype: a variable can have the name of one of its members.
  const typed = Object.create(null) as Record<string, TypedValue>;
  for (const [name, variable] of all) {
    const whole = made.get(name);
    const text = whole?.text ?? given.get(name);
    if (isFixedTemplate(variable) && given.has(name)) {
      issues.report(name, 'conflict', fixedVariable(variable));
    } else if (text === undefined) {
      if (!inputs.has(name) && isDemanded(variable))
        issues.report(name, 'required', missingVariable(variable));
    } else if (isReference(text)) {
      if (variable.value !== undefined && !whole) issues.report(name, 'conflict', fixedVariable(variable));
    } else {
      const value = typedValue(variable, text);
      // A text that cannot be read stays one, and is refused by its type.
      typed[name] = value ?? text;
      if (value !== undefined && !hasFormat(variable, text))
        issues.report(whole?.from[0] ?? name, 'wrong_format', misfittingVariable(variable));
    }
  }
  return typed;
}

function isFixedTemplate(variable: EnvVariable): boolean {
  return variable.value !== undefined && templateOf(variable) !== undefined;
}
