import { isSecretName, looksLikeSecret } from '@mcpinfra/core/plugin';
import type { DocumentNode } from '../documents/document-node.js';
import type { ImportInput, Template } from '../drafts/server-draft.js';
import { parseTemplate } from '../drafts/template.js';

/** The inputs that a `server.yaml` describes. */
export interface CatalogInputs {
  /** Reads a text in which `{{server.parameter}}` stands for a parameter. */
  template(node: DocumentNode): Template;
  /** The input of an entry of `config.secrets`. */
  secret(node: DocumentNode): ImportInput | undefined;
}

const places = /\{\{([^{}]{1,200})\}\}/gu;

/** Reads the `config` of a `server.yaml`: its parameters are a JSON Schema. */
export function catalogInputs(server: string, config: DocumentNode): CatalogInputs {
  const made = new Map<string, ImportInput>();
  return {
    template(node) {
      return parseTemplate(node.scalar() ?? '', places, (expression) => {
        const [path = '', ...filters] = expression.split('|').map((part) => part.trim());
        const name = path.startsWith(`${server}.`) ? path.slice(server.length + 1) : path;
        const input = made.get(name) ?? parameter(config.at('parameters'), name, node);
        made.set(name, input);
        return filters.includes('into') ? { ...input, repeated: true } : input;
      });
    },
    secret(node) {
      const name = node.at('env').text(255) ?? node.needed('name', 255);
      if (name === '') return undefined;
      const required = node.at('required');
      return {
        name,
        kind: 'variable',
        path: node.path,
        required: required.isAbsent || required.flag(),
        secret: true,
        description: node.at('description').text(),
        placeholder: node.at('example').text(),
      };
    },
  };
}

function parameter(parameters: DocumentNode, name: string, mentioned: DocumentNode): ImportInput {
  let at = parameters;
  let required = true;
  for (const segment of name.split('.')) {
    required =
      required &&
      at
        .at('required')
        .items()
        .some((item) => item.value === segment);
    at = at.at('properties').at(segment);
  }
  const own = name.split('.').at(-1) ?? name;
  const type = at.at('type').value;
  const fallback = at.at('default');
  const texts = Array.isArray(fallback.value) ? fallback.value : [fallback.value];
  const secret = isSecretName(own) || texts.some((text) => looksLikeSecret(own, String(text)));
  const values = Array.isArray(fallback.value)
    ? fallback.items().flatMap((item) => item.scalar() ?? [])
    : fallback.scalar();
  const choices = at
    .at('enum')
    .items()
    .flatMap((item) => item.scalar() ?? []);
  const placeholder = at.at('example').isAbsent ? undefined : at.at('example').scalar();
  return {
    name,
    kind: 'input',
    path: at.isAbsent ? mentioned.path : at.path,
    required,
    secret,
    description: at.at('description').text(),
    placeholder,
    ...(values === undefined || secret ? {} : { default: values }),
    ...(choices.length === 0 ? {} : { choices }),
    ...(type === 'boolean' || type === 'number' || type === 'integer' ? { format: type } : {}),
    ...(type === 'array' ? { repeated: true } : {}),
  };
}
