import { isEnvironmentName } from '@mcpinfra/core/plugin';
import { applyContainerOption } from '../containers/container-options.js';
import { DocumentParts } from '../drafts/document-parts.js';
import { EnvSchemaDraft } from '../drafts/env-schema-draft.js';
import type { ReadingOptions } from '../reading-options.js';
import type { RegistryServer } from './registry-server.js';
import { isImageName } from '../containers/image-name.js';
import type { DocumentNode } from '../documents/document-node.js';
import {
  argumentGroup,
  argumentsWithoutSecrets,
  readArguments,
  type RegistryArgument,
} from './registry-arguments.js';
import { readAddress, readInput, type KnownInputs } from './registry-input.js';
import { declareVariables, readVariables } from './registry-variables.js';
import type { ServerDraft } from '../drafts/server-draft.js';
import { plainText } from '../drafts/template.js';

const known = [
  ...['registryType', 'registry_type', 'registry_name', 'registryName', 'identifier', 'name', 'version'],
  ...[
    'transport',
    'runtimeHint',
    'runtime_hint',
    'runtimeArguments',
    'runtime_arguments',
    'packageArguments',
  ],
  ...[
    'package_arguments',
    'environmentVariables',
    'environment_variables',
    'registryBaseUrl',
    'registry_base_url',
  ],
  ...['fileSha256', 'file_sha256', '_meta'],
];

/** Reads one package of a registry entry; `undefined` where it cannot run here, which is said. */
export function packageDraft(
  node: DocumentNode,
  server: RegistryServer,
  options: ReadingOptions,
): ServerDraft | undefined {
  node.leaveOthers(known);
  const registry = node.at('registryType', 'registry_type', 'registry_name', 'registryName').text() ?? '';
  const schema = new EnvSchemaDraft(node.report);
  const isImage = registry === 'oci' || registry === 'docker';
  const given = readArguments(node.at('runtimeArguments', 'runtime_arguments'));
  const isVariable = ({ name }: RegistryArgument) => isImage && (name === '-e' || name === '--env');
  const runtime = argumentsWithoutSecrets(given, isVariable);
  const own = argumentsWithoutSecrets(readArguments(node.at('packageArguments', 'package_arguments')));
  if (!runtime || !own) return undefined;
  const package_ = { registry, runtime, own };
  const image = isImage ? imageOf(node) : undefined;
  const parts =
    image === undefined ? processOf(node, package_) : containerOf(node, { ...package_, image }, options);
  if (!parts) return undefined;
  readVariables(node.at('environmentVariables', 'environment_variables'), parts, schema);
  declareVariables(parts, schema, node.path);
  const transport = node.at('transport');
  const kind = transport.at('type').text() ?? 'stdio';
  if (kind === 'streamable-http' || kind === 'sse') {
    const url = readAddress(transport, inputsByName(parts, own));
    if (url.length === 0) transport.fault('required', 'Expected the "url" of the transport in here.');
    parts.listens = { transport: kind === 'sse' ? 'sse' : 'http', url };
  } else if (kind !== 'stdio') {
    transport
      .at('type')
      .leave(`Expected stdio, streamable-http or sse, not ${JSON.stringify(kind.slice(0, 40))}.`);
    return undefined;
  }
  return {
    path: node.path,
    definition: { ...server.definition, dockerImageUrl: image ?? null, envSchema: schema.variables },
    instance: { name: server.instanceName, desiredState: 'running' },
    document: parts.draft(),
  };
}

interface Package {
  readonly registry: string;
  readonly runtime: readonly RegistryArgument[];
  readonly own: readonly RegistryArgument[];
}

const programs: Readonly<
  Record<string, { readonly hints: readonly string[]; readonly first: readonly string[] }>
> = {
  npm: { hints: ['npx', 'bunx'], first: ['-y'] },
  pypi: { hints: ['uvx'], first: [] },
  nuget: { hints: ['dnx'], first: ['--yes'] },
};

function processOf(node: DocumentNode, { registry, runtime, own }: Package): DocumentParts | undefined {
  const program = Object.hasOwn(programs, registry) ? programs[registry] : undefined;
  if (!program) {
    if (registry !== 'oci' && registry !== 'docker')
      node.leave(
        `A package of the type ${JSON.stringify(registry.slice(0, 40))} is not run here. Known are npm, pypi, nuget and oci.`,
      );
    return undefined;
  }
  const base = node.at('registryBaseUrl', 'registry_base_url');
  if (!base.isAbsent) base.leave('The registry is the one that the machine is configured for.');
  const hint = node.at('runtimeHint', 'runtime_hint').text();
  const [usual = ''] = program.hints;
  if (hint !== undefined && !program.hints.includes(hint))
    node
      .at('runtimeHint', 'runtime_hint')
      .leave(`It is run by ${usual}; name another program in json_spec.command.`);
  const identifier = identifierOf(node);
  const version = node.at('version').text(100);
  if (version !== undefined && /[\s${}]/u.test(version))
    node.at('version').leave('The version is a place that a release fills in.');
  const pinned = version === undefined || version === '' || /[\s${}]/u.test(version) ? '' : `@${version}`;
  const before = runtime.map(argumentGroup);
  const given = before.flat().map(plainText);
  // uvx takes the package from --from where that is given, and a command of it then.
  const command = given.includes('--from') ? identifier : identifier + pinned;
  const parts = new DocumentParts('process');
  const first = program.first.filter(
    (option) => !given.includes(option) && !(option === '-y' && given.includes('--yes')),
  );
  parts.command.push([[hint !== undefined && program.hints.includes(hint) ? hint : usual]]);
  parts.command.push(...first.map((option) => [[option]]), ...before);
  if (!given.some((text) => text === identifier || text === command)) parts.command.push([[command]]);
  parts.command.push(...own.map(argumentGroup));
  return parts;
}

function containerOf(
  node: DocumentNode,
  { runtime, own, image }: Package & { readonly image: string },
  options: ReadingOptions,
): DocumentParts {
  const parts = new DocumentParts('docker');
  const passedThrough = (name: string, at: DocumentNode) =>
    isEnvironmentName(name) ? readInput(at, { name, kind: 'variable', required: true }) : undefined;
  for (const argument of runtime) {
    const { name, value = [], node: at } = argument;
    const text = plainText(value);
    if (name !== undefined)
      applyContainerOption(parts, { name, value, node: at }, { passedThrough, volumes: options.volumes });
    else if (text !== 'run' && (text === undefined || !image.startsWith(text)))
      at.leave('This argument of "docker run" is not carried over.');
  }
  const hint = node.at('runtimeHint', 'runtime_hint');
  if (!hint.isAbsent && hint.value !== 'docker' && hint.value !== 'podman')
    hint.leave('It is run by the container engine.');
  parts.command.push(...own.map(argumentGroup));
  return parts;
}

/** The image with its registry and tag, which older entries keep apart. */
function imageOf(node: DocumentNode): string | undefined {
  const identifier = identifierOf(node).replace(/:?\$?\{?\$?[A-Z_]*VERSION\}?$/u, '');
  const [first = ''] = identifier.split('/');
  const base = /^https?:\/\/([^/\s]+)\/?$/u.exec(
    node.at('registryBaseUrl', 'registry_base_url').text() ?? '',
  )?.[1];
  const isQualified = identifier.includes('/') && /[.:]|^localhost$/u.test(first);
  const name = base !== undefined && !isQualified ? `${base}/${identifier}` : identifier;
  const version = node.at('version').text(100) ?? '';
  const hasTag = /:[^/]*$|@/u.test(name);
  const image = !hasTag && /^\w[\w.-]*$/u.test(version) ? `${name}:${version}` : name;
  if (isImageName(image)) return image;
  node.leave('Expected the identifier of an image, such as "mcp/filesystem:latest".');
  return undefined;
}

function identifierOf(node: DocumentNode): string {
  const identifier = node.at('identifier', 'name').text(500)?.trim() ?? '';
  if (identifier === '' || /^-|\s/u.test(identifier))
    node.fault('required', 'Expected the "identifier" of a package in here.');
  return identifier;
}

function inputsByName(parts: DocumentParts, own: readonly RegistryArgument[]): KnownInputs {
  const found = new Map<string, string | Exclude<(typeof parts.command)[number][number][number], string>>();
  for (const { name, value = [], node } of own) {
    const [only] = value;
    const hint = node.at('valueHint', 'value_hint').text();
    for (const key of [name, name?.replace(/^-+/u, ''), hint]) {
      if (key !== undefined && value.length === 1 && only !== undefined) found.set(key, only);
    }
  }
  for (const [name, template] of parts.environment) {
    const [only] = template;
    if (template.length === 1 && only !== undefined) found.set(name, only);
  }
  return found;
}
