import type { ImportInput, Template } from './server-draft.js';

/** Replaces the places of a text by inputs; what is not recognised stays as it is. */
export function parseTemplate(
  text: string,
  places: RegExp,
  inputOf: (name: string) => ImportInput | string | undefined,
): Template {
  const parts: (string | ImportInput)[] = [];
  let end = 0;
  for (const match of text.matchAll(places)) {
    const found = inputOf(match[1] ?? '');
    if (found === undefined) continue;
    parts.push(text.slice(end, match.index), found);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return joined(parts);
}

/** The inputs of templates, each once. */
export function inputsOf(templates: Iterable<Template>): ImportInput[] {
  const found = new Map<string, ImportInput>();
  for (const template of templates) {
    for (const part of template)
      if (typeof part !== 'string' && !found.has(part.name)) found.set(part.name, part);
  }
  return [...found.values()];
}

/** The text of a template without inputs. */
export function plainText(template: Template): string | undefined {
  if (template.length === 0) return '';
  const [only] = template;
  return template.length === 1 && typeof only === 'string' ? only : undefined;
}

/** Cuts a template at the first such sign of the text it begins with. */
export function cutTemplate(
  template: Template,
  sign: string,
): readonly [name: string, rest: Template] | undefined {
  const [first, ...rest] = template;
  const at = typeof first === 'string' ? first.indexOf(sign) : -1;
  if (typeof first !== 'string' || at < 0) return undefined;
  return [first.slice(0, at), joined([first.slice(at + sign.length), ...rest])];
}

function joined(parts: Template): Template {
  const result: (string | ImportInput)[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === 'string' && typeof last === 'string') result[result.length - 1] = last + part;
    else if (part !== '') result.push(part);
  }
  return result;
}
