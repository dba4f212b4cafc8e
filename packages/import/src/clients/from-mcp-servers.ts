import { isEnvironmentName, isSecretName } from '@mcpinfra/core/plugin';
import { ClientInputs } from './client-inputs.js';
import { containerOf, withoutSecrets, type GivenArgument } from '../containers/command-line.js';
import { isImageName } from '../containers/image-name.js';
import { DocumentParts } from '../drafts/document-parts.js';
import { EnvSchemaDraft } from '../drafts/env-schema-draft.js';
import type { DocumentNode } from '../documents/document-node.js';
import type { ReadingOptions } from '../reading-options.js';
import { bridgedEndpoint } from './remote-bridge.js';
import { addressHoldsSecret } from '../drafts/secret-address.js';
import type { ServerDraft, ServerWays } from '../drafts/server-draft.js';
import { plainText } from '../drafts/template.js';

const known = [
  ...['type', 'transport', 'command', 'args', 'env', 'cwd', 'url', 'serverUrl', 'httpUrl', 'headers'],
  ...['disabled', 'enabled', 'description', 'name', 'protocolEra', 'envFile'],
];

/** Reads the servers of a client's configuration: `mcpServers` of Claude and Cursor, `servers` and `inputs` of VS Code. */
export function fromMcpServers(
  servers: DocumentNode,
  inputs: DocumentNode,
  options: ReadingOptions,
): readonly ServerWays[] {
  return servers.entries().map(([name, node]) => {
    const draft = serverOf(name, node, new ClientInputs(inputs), options);
    return draft ? [draft] : [];
  });
}

function serverOf(
  name: string,
  node: DocumentNode,
  inputs: ClientInputs,
  options: ReadingOptions,
): ServerDraft | undefined {
  if (name.trim() === '' || name.length > 200)
    node.fault('wrong_format', 'Expected a name of 1 to 200 characters.');
  node.leaveOthers(known);
  if (!node.at('envFile').isAbsent)
    node.at('envFile').leave('The file is not read: give its variables as values, or in env.');
  const schema = new EnvSchemaDraft(node.report);
  const run = documentOf(node, inputs, options);
  if (!run) return undefined;
  const { parts, image } = run;
  const { environment } = parts;
  for (const [variable, variableNode] of node.at('env').entries()) {
    if (!isEnvironmentName(variable)) {
      variableNode.leave('Expected the name of a variable: letters, digits, "_", "." and "-".');
    } else if (run.handedOn?.has(variable) === false) {
      variableNode.leave(
        'It is not handed to the container: there is no "-e" with its name among the arguments.',
      );
    } else if (!variableNode.isAbsent) {
      const template = inputs.template(variableNode, variable);
      environment.set(variable, template);
      variableNode.noteSecret(variable, plainText(template));
    }
  }
  if (parts.type === 'url') {
    for (const variable of environment.keys())
      if (run.handedOn?.has(variable) !== true)
        node
          .at('env')
          .at(variable)
          .leave('A remote server is given no variables; only its headers are sent.');
    environment.clear();
  }
  for (const [variable, template] of environment) {
    const given = template.some((part) => typeof part !== 'string' && part.secret);
    const where = node.at('env').at(variable).path;
    const declared = schema.declare(
      { name: variable, secret: given || isSecretName(variable) || undefined },
      where,
    );
    if (!declared) environment.delete(variable);
  }
  const era = node.at('protocolEra').text();
  if (era === 'legacy' || era === 'auto' || era === 'modern') parts.fixed['protocol_era'] = era;
  return {
    path: node.path,
    definition: {
      name,
      description: node.at('description').text()?.slice(0, 4_000) ?? '',
      dockerImageUrl: image ?? null,
      version: '1.0.0',
      tags: [],
      envSchema: schema.variables,
    },
    instance: { name, desiredState: isDisabled(node) ? 'stopped' : 'running' },
    document: parts.draft(),
  };
}

function isDisabled(node: DocumentNode): boolean {
  return node.at('disabled').flag() || node.at('enabled').value === false;
}

interface Run {
  readonly parts: DocumentParts;
  readonly image?: string;
  /** The variables of the entry that reach the server; all of them where it is left out. */
  readonly handedOn?: ReadonlySet<string>;
}

function documentOf(node: DocumentNode, inputs: ClientInputs, options: ReadingOptions): Run | undefined {
  const url = node.at('url', 'serverUrl', 'httpUrl');
  if (!url.isAbsent) return remote(node, url, inputs);
  const program = node.at('command');
  if (program.isAbsent) {
    node.fault('required', 'Expected a "command" with "args", or a "url".');
    return undefined;
  }
  const argv = [...(Array.isArray(program.value) ? program.items() : [program]), ...node.at('args').items()];
  const all = argv.map((arg): GivenArgument => ({ template: inputs.template(arg, ''), node: arg }));
  // What Windows needs to find npx is nothing to the program that runs.
  const viaShell = /^cmd(?:\.exe)?$/iu.test(plain(all[0])) && /^\/c$/iu.test(plain(all[1]));
  const line = viaShell ? all.slice(2) : all;
  if (line.length === 0 || plain(line[0]) === '') {
    program.fault('wrong_type', 'Expected the program to run.');
    return undefined;
  }
  const name = (plain(line[0]).split(/[/\\]/u).at(-1) ?? '').replace(/\.exe$/iu, '');
  if ((name === 'docker' || name === 'podman') && plain(line[1]) === 'run') {
    const handedOn = new Set<string>();
    const passedThrough = (name: string, at: DocumentNode) => {
      handedOn.add(name);
      return node.at('env').at(name).isAbsent ? inputs.variable(name, at) : undefined;
    };
    const container = containerOf(line.slice(1), { passedThrough, volumes: options.volumes });
    if (!container || !isImageName(container.image)) {
      (container?.imageNode ?? node).leave('No image was found in the arguments of "run".');
      return undefined;
    }
    const inside = container.parts.command.flat().map((template) => ({ template, node: node.at('args') }));
    return withoutSecrets(inside) ? { parts: container.parts, image: container.image, handedOn } : undefined;
  }
  const bridged = bridgedEndpoint(line);
  if (bridged?.endpoint) {
    const handedOn = new Set<string>();
    for (const [header, template] of bridged.headers) {
      const own = template.flatMap((part) => {
        const variable = typeof part === 'string' ? undefined : node.at('env').at(part.name);
        if (typeof part === 'string' || !variable || variable.isAbsent) return part;
        handedOn.add(part.name);
        return inputs.template(variable, part.name);
      });
      bridged.headers.set(header, own);
    }
    return addressHoldsSecret(bridged.endpoint, node.at('args')) ? undefined : { parts: bridged, handedOn };
  }
  if (!withoutSecrets(line)) return undefined;
  if (
    /^(?:ba|z|da|k)?sh$|^(?:cmd|powershell|pwsh)$/iu.test(name) &&
    line.some(({ template }) => plainText(template) === undefined)
  ) {
    node.leave(
      'A value would become part of a line that a shell reads. Name the program and its arguments instead.',
    );
    return undefined;
  }
  const parts = new DocumentParts('process');
  parts.command.push(...line.map(({ template }) => [template]));
  const cwd = node.at('cwd');
  const directory = cwd.isAbsent ? undefined : inputs.template(cwd, '');
  const plainDirectory = directory && plainText(directory);
  if (plainDirectory !== undefined && plainDirectory !== '') parts.fixed['cwd'] = plainDirectory;
  else if (!cwd.isAbsent)
    cwd.leave('A directory with places for values is not carried over: set cwd on the instance.');
  return { parts };
}

function remote(node: DocumentNode, url: DocumentNode, inputs: ClientInputs): Run | undefined {
  const parts = new DocumentParts('url');
  parts.endpoint = inputs.template(url, '');
  if (addressHoldsSecret(parts.endpoint, url)) return undefined;
  if ((node.at('type').text() ?? node.at('transport').text()) === 'sse') parts.fixed['transport'] = 'sse';
  for (const [header, value] of node.at('headers').entries()) {
    const template = inputs.template(value, header);
    parts.headers.set(header, template);
    value.noteSecret(header, plainText(template));
  }
  if (!node.at('auth', 'oauth').isAbsent) {
    node.at('auth', 'oauth').leave('A login of users is not carried over: give a header, or authentication.');
  }
  return { parts };
}

function plain(argument: GivenArgument | undefined): string {
  return argument ? (plainText(argument.template) ?? '') : '';
}
