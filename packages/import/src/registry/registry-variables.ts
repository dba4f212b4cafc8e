import { isEnvironmentName, isReservedEnvironmentName, looksLikeSecret } from '@mcpinfra/core/plugin';
import type { DocumentParts } from '../drafts/document-parts.js';
import { type EnvSchemaDraft, variableOf } from '../drafts/env-schema-draft.js';
import type { DocumentNode } from '../documents/document-node.js';
import { readValue } from './registry-input.js';
import { plainText } from '../drafts/template.js';

/** Reads `environmentVariables` into a document and the variables that its definition declares. */
export function readVariables(list: DocumentNode, parts: DocumentParts, schema: EnvSchemaDraft): void {
  for (const node of list.items()) {
    const name = node.needed('name', 255);
    if (name === '') continue;
    if (!isEnvironmentName(name) || isReservedEnvironmentName(name)) {
      node.leave('The name is none that a variable can have here.');
      continue;
    }
    const { template, fixed, entry: input } = readValue(node, { name, kind: 'variable' });
    const text = plainText(template);
    if (fixed && text !== undefined && !input.secret && !looksLikeSecret(name, text)) {
      const { default: _default, required: _required, ...variable } = variableOf(input);
      schema.declare({ ...variable, value: text }, node.path);
    } else {
      const secret = input.secret || template.some((part) => typeof part !== 'string' && part.secret);
      const [only] = template;
      const variable =
        template.length === 1 && typeof only === 'object'
          ? variableOf(only)
          : { name, description: input.description, ...(secret ? { secret } : {}) };
      if (schema.declare(variable, node.path)) parts.environment.set(name, template);
      node.at('value').noteSecret(name, text);
    }
  }
}

/** Declares what the document gives to variables and nothing has declared yet. */
export function declareVariables(parts: DocumentParts, schema: EnvSchemaDraft, path: string): void {
  for (const [name, template] of parts.environment) {
    const [only] = template;
    const secret = template.some((part) => typeof part !== 'string' && part.secret);
    if (template.length === 1 && typeof only === 'object') {
      const input = { ...only, name, kind: 'variable' as const };
      parts.environment.set(name, [input]);
      if (!schema.declare(variableOf(input), input.path)) parts.environment.delete(name);
    } else if (!schema.declare({ name, ...(secret ? { secret } : {}) }, path)) parts.environment.delete(name);
  }
}
