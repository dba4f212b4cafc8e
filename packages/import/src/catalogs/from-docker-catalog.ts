import { isEnvironmentName } from '@mcpinfra/core/plugin';
import { withoutSecrets } from '../containers/command-line.js';
import { catalogInputs, type CatalogInputs } from './catalog-inputs.js';
import { DocumentParts } from '../drafts/document-parts.js';
import { EnvSchemaDraft, variableOf } from '../drafts/env-schema-draft.js';
import { isImageName } from '../containers/image-name.js';
import type { DocumentNode } from '../documents/document-node.js';
import type { ReadingOptions } from '../reading-options.js';
import { addressHoldsSecret } from '../drafts/secret-address.js';
import type { DefinitionDraft, ServerWays, Template } from '../drafts/server-draft.js';
import { parseTemplate, plainText } from '../drafts/template.js';

const known = [
  ...['name', 'image', 'type', 'longLived', 'dynamic', 'meta', 'about', 'source', 'remote', 'run', 'config'],
  ...['oauth', 'tools', 'icon', 'readme', 'upstream'],
];

/** Reads a `server.yaml` of Docker's catalogue of MCP servers. */
export function fromDockerCatalog(node: DocumentNode, options: ReadingOptions): ServerWays {
  node.leaveOthers(known);
  const name = node.needed('name', 200);
  const type = node.at('type').text() ?? 'server';
  const schema = new EnvSchemaDraft(node.report);
  const config = node.at('config');
  config.leaveOthers(['description', 'secrets', 'env', 'parameters']);
  const inputs = catalogInputs(name, config);
  if (!node.at('oauth').isAbsent)
    node
      .at('oauth')
      .leave('A login of users is not carried over: give the secret that the login would have made.');
  const image = type === 'server' ? node.at('image').text(512)?.trim() : undefined;
  const parts =
    type === 'server'
      ? container(node, { inputs, schema, image, options })
      : type === 'remote'
        ? remote(node, inputs)
        : undefined;
  if (!parts) {
    if (type !== 'server' && type !== 'remote')
      node
        .at('type')
        .leave(
          `A server of the type ${JSON.stringify(type.slice(0, 40))} is not run here. Known are server and remote.`,
        );
    return [];
  }
  return [
    {
      path: node.path,
      definition: { ...describe(node, name), dockerImageUrl: image ?? null, envSchema: schema.variables },
      instance: { name, desiredState: 'running' },
      document: parts.draft(),
    },
  ];
}

function describe(
  node: DocumentNode,
  name: string,
): Pick<DefinitionDraft, 'name' | 'description' | 'version' | 'tags'> {
  const about = node.at('about');
  const description = about.at('description').text(65_536) ?? about.at('title').text(4_000) ?? '';
  const meta = node.at('meta');
  const tags = [...meta.at('tags').items(), meta.at('category')].flatMap(
    (tag) => tag.text(100)?.trim() ?? [],
  );
  const kept = [...new Set(tags)].filter((tag) => tag !== '').slice(0, 100);
  return { name, description: description.slice(0, 4_000), version: '1.0.0', tags: kept };
}

interface ContainerReading {
  readonly inputs: CatalogInputs;
  readonly schema: EnvSchemaDraft;
  readonly image: string | undefined;
  readonly options: ReadingOptions;
}

function container(
  node: DocumentNode,
  { inputs, schema, image, options }: ContainerReading,
): DocumentParts | undefined {
  if (image === undefined || !isImageName(image)) {
    node.fault('required', 'Expected the "image" of the server in here, such as "mcp/filesystem".');
    return undefined;
  }
  const parts = new DocumentParts('docker');
  const run = node.at('run');
  run.leaveOthers(['command', 'volumes', 'user', 'env', 'allowHosts', 'disableNetwork']);
  const argv = run
    .at('command')
    .items()
    .map((item) => ({ template: inputs.template(item), node: item }));
  if (!withoutSecrets(argv)) return undefined;
  parts.command.push(...argv.map(({ template }) => [template]));
  const user = run.at('user').scalar();
  if (user !== undefined && /^[\w.:-]+$/u.test(user)) parts.fixed['user'] = user;
  else if (user !== undefined)
    run.at('user').leave('A user with places for values is not carried over: set user on the instance.');
  for (const item of run.at('volumes').items()) {
    const text = item.text();
    if (text === undefined) continue;
    if (options.volumes && !/\|\s*volume/u.test(text)) {
      parts.volumes.push({ syntax: 'volume', text: inputs.template(item), path: item.path });
    } else {
      item.leave(
        'A mount is carried over only with { volumes: true } and as source:target; set volumes on the instance.',
      );
    }
  }
  const allow = run
    .at('allowHosts')
    .items()
    .flatMap((host) => host.text(300) ?? []);
  if (run.at('disableNetwork').flag()) parts.fixed['network'] = { egress: 'none' };
  else if (allow.length > 0) parts.fixed['network'] = { allow };
  for (const [variable, value] of run.at('env').entries())
    variableOfCatalog(variable, value, { parts, schema, inputs });
  for (const item of node.at('config').at('secrets').items()) {
    const input = inputs.secret(item);
    if (!input || !isEnvironmentName(input.name)) continue;
    if (schema.declare(variableOf(input), item.path)) parts.environment.set(input.name, [input]);
  }
  for (const item of node.at('config').at('env').items()) {
    const variable = item.needed('name', 255);
    if (variable !== '') variableOfCatalog(variable, item.at('value'), { parts, schema, inputs });
  }
  return parts;
}

function variableOfCatalog(
  name: string,
  value: DocumentNode,
  {
    parts,
    schema,
    inputs,
  }: { readonly parts: DocumentParts; readonly schema: EnvSchemaDraft; readonly inputs: CatalogInputs },
): void {
  const template = inputs.template(value);
  const [only] = template;
  const single = template.length === 1 && typeof only === 'object' ? only : undefined;
  value.noteSecret(name, plainText(template));
  const secret = template.some((part) => typeof part !== 'string' && part.secret);
  // Its input goes by the name of the parameter, so that default and demand stay with that.
  const { default: _default, required: _required, ...described } = single ? variableOf(single) : { name };
  if (schema.declare({ ...described, name, ...(secret ? { secret } : {}) }, value.path))
    parts.environment.set(name, template);
}

function remote(node: DocumentNode, inputs: CatalogInputs): DocumentParts | undefined {
  const at = node.at('remote');
  at.leaveOthers(['transport_type', 'url', 'headers']);
  if (at.needed('url') === '') return undefined;
  const parts = new DocumentParts('url');
  parts.endpoint = inputs.template(at.at('url'));
  if (at.at('transport_type').value === 'sse') parts.fixed['transport'] = 'sse';
  if (addressHoldsSecret(parts.endpoint, at.at('url'))) return undefined;
  const secrets = new Map(
    node
      .at('config')
      .at('secrets')
      .items()
      .flatMap((item) => {
        const input = inputs.secret(item);
        return input ? [[input.name, input] as const] : [];
      }),
  );
  for (const [header, value] of at.at('headers').entries()) {
    const parsed = inputs.template(value);
    const template = parsed.flatMap((part): Template =>
      typeof part === 'string'
        ? parseTemplate(part, /\$\{?([A-Z_][A-Z0-9_]*)\}?/gu, (name) => secrets.get(name))
        : [part],
    );
    parts.headers.set(header, template);
    value.noteSecret(header, plainText(template));
  }
  return parts;
}
