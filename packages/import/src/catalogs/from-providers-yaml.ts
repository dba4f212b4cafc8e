import { isSecretName, looksLikeSecret } from '@mcpinfra/core/plugin';
import { DocumentParts } from '../drafts/document-parts.js';
import { EnvSchemaDraft, variableOf } from '../drafts/env-schema-draft.js';
import { isImageName } from '../containers/image-name.js';
import type { DocumentNode } from '../documents/document-node.js';
import type { ImportInput, ServerWays } from '../drafts/server-draft.js';

const uuidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;

/**
 * Reads a list of `providers` as AgentArea keeps it (`data/mcp_providers.yaml`): images with the variables they take.
 * Instances are named by the keys; ids are any UUID-shaped text and kept in a label.
 */
export function fromProvidersYaml(providers: DocumentNode): readonly ServerWays[] {
  return providers.entries().map(([key, node]) => providerOf(key, node));
}

function providerOf(key: string, node: DocumentNode): ServerWays {
  node.leaveOthers(['id', 'name', 'description', 'icon', 'docker_image', 'env_vars', 'capabilities']);
  if (key.trim() === '' || key.length > 100)
    node.fault('wrong_format', 'Expected a key of 1 to 100 characters.');
  const id = node.at('id').text();
  if (id !== undefined && !uuidShape.test(id))
    node.at('id').fault('wrong_format', 'Expected a UUID-shaped text.');
  const image = node.at('docker_image').text(512)?.trim() ?? '';
  if (!isImageName(image)) {
    node.fault('required', 'Expected the "docker_image" of the server in here, such as "mcp/filesystem".');
    return [];
  }
  const schema = new EnvSchemaDraft(node.report);
  const parts = new DocumentParts('docker');
  for (const variable of node.at('env_vars').items()) {
    variable.leaveOthers(['name', 'description', 'required', 'default']);
    const input = inputOf(variable);
    if (input.name !== '' && schema.declare(variableOf(input), variable.path))
      parts.environment.set(input.name, [input]);
  }
  const title = node.at('name').text(200)?.trim();
  const capabilities = node
    .at('capabilities')
    .items()
    .flatMap((item) => item.text(100)?.trim() || []);
  const description = node.at('description').text(65_536) ?? title ?? '';
  return [
    {
      path: node.path,
      definition: {
        name: title === undefined || title === '' ? key : title,
        description: description.slice(0, 4_000),
        dockerImageUrl: image,
        version: 'latest',
        tags: [...new Set([key, ...capabilities])].slice(0, 100),
        envSchema: schema.variables,
        ...(id === undefined ? {} : { labels: { 'agentarea.io/id': id } }),
      },
      instance: { name: key, desiredState: 'running' },
      document: parts.draft(),
    },
  ];
}

function inputOf(node: DocumentNode): ImportInput {
  const name = node.needed('name', 255);
  const fallback = node.at('default').scalar();
  // Nothing in these lists says what is a secret.
  const secret =
    fallback === undefined || fallback === '' ? isSecretName(name) : looksLikeSecret(name, fallback);
  if (secret && fallback !== undefined && fallback !== '')
    node.at('default').leave('A secret has no default in clear.');
  return {
    name,
    kind: 'variable',
    path: node.path,
    required: node.at('required').flag(),
    secret,
    description: node.at('description').text(),
    ...(fallback === undefined || secret ? {} : { default: fallback }),
  };
}
