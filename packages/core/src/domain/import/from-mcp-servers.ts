import { isEnvironmentName } from '../json-spec/environment-issues.js';
import { ClientInputs } from './client-inputs.js';
import { containerOf, withoutSecrets, type GivenArgument } from './command-line.js';
import { isImageName } from './image-name.js';
import { DocumentParts } from './document-parts.js';
import { EnvSchemaDraft } from './env-schema-draft.js';
import type { Place } from './place.js';
import type { ReadingOptions } from './reading-options.js';
import { addressHoldsSecret, bridgedEndpoint } from './remote-bridge.js';
import { isSecretName } from './secret-like.js';
import type { ServerDraft, ServerWays } from './server-draft.js';
import { plainText } from './template.js';

const known = [
  ...['type', 'transport', 'command', 'args', 'env', 'cwd', 'url', 'serverUrl', 'httpUrl', 'headers'],
  ...['disabled', 'enabled', 'description', 'name', 'protocolEra', 'envFile'],
];

/** Reads the servers of a client's configuration: `mcpServers` of Claude and Cursor, `servers` and `inputs` of VS Code. */
export function fromMcpServers(
  servers: Place,
  inputs: Place,
  options: ReadingOptions,
): readonly ServerWays[] {
  return servers.entries().map(([name, place]) => {
    const draft = serverOf(name, place, new ClientInputs(inputs), options);
    return draft ? [draft] : [];
  });
}

function serverOf(
  name: string,
  place: Place,
  inputs: ClientInputs,
  options: ReadingOptions,
): ServerDraft | undefined {
  if (name.trim() === '' || name.length > 200)
    place.fault('wrong_format', 'Expected a name of 1 to 200 characters.');
  place.leaveOthers(known);
  if (!place.at('envFile').isAbsent)
    place.at('envFile').leave('The file is not read: give its variables as values, or in env.');
  const schema = new EnvSchemaDraft(place.report);
  const run = documentOf(place, inputs, options);
  if (!run) return undefined;
  const { parts, image } = run;
  const { environment } = parts;
  for (const [variable, variablePlace] of place.at('env').entries()) {
    if (!isEnvironmentName(variable)) {
      variablePlace.leave('Expected the name of a variable: letters, digits, "_", "." and "-".');
    } else if (run.handedOn?.has(variable) === false) {
      variablePlace.leave(
        'It is not handed to the container: there is no "-e" with its name among the arguments.',
      );
    } else if (!variablePlace.isAbsent) {
      const template = inputs.template(variablePlace, variable);
      environment.set(variable, template);
      variablePlace.noteSecret(variable, plainText(template));
    }
  }
  if (parts.type === 'url') {
    for (const variable of environment.keys())
      if (run.handedOn?.has(variable) !== true)
        place
          .at('env')
          .at(variable)
          .leave('A remote server is given no variables; only its headers are sent.');
    environment.clear();
  }
  for (const [variable, template] of environment) {
    const given = template.some((part) => typeof part !== 'string' && part.secret);
    const where = place.at('env').at(variable).path;
    const declared = schema.declare(
      { name: variable, secret: given || isSecretName(variable) || undefined },
      where,
    );
    if (!declared) environment.delete(variable);
  }
  const era = place.at('protocolEra').text();
  if (era === 'legacy' || era === 'auto' || era === 'modern') parts.fixed['protocol_era'] = era;
  return {
    path: place.path,
    definition: {
      name,
      description: place.at('description').text()?.slice(0, 4_000) ?? '',
      dockerImageUrl: image ?? null,
      version: '1.0.0',
      tags: [],
      envSchema: schema.variables,
    },
    instance: { name, desiredState: isDisabled(place) ? 'stopped' : 'running' },
    document: parts.draft(),
  };
}

function isDisabled(place: Place): boolean {
  return place.at('disabled').flag() || place.at('enabled').value === false;
}

interface Run {
  readonly parts: DocumentParts;
  readonly image?: string;
  /** The variables of the entry that reach the server; all of them where it is left out. */
  readonly handedOn?: ReadonlySet<string>;
}

function documentOf(place: Place, inputs: ClientInputs, options: ReadingOptions): Run | undefined {
  const url = place.at('url', 'serverUrl', 'httpUrl');
  if (!url.isAbsent) return remote(place, url, inputs);
  const program = place.at('command');
  if (program.isAbsent) {
    place.fault('required', 'Expected a "command" with "args", or a "url".');
    return undefined;
  }
  const argv = [...(Array.isArray(program.value) ? program.items() : [program]), ...place.at('args').items()];
  const all = argv.map((arg): GivenArgument => ({ template: inputs.template(arg, ''), place: arg }));
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
    const passedThrough = (name: string, at: Place) => {
      handedOn.add(name);
      return place.at('env').at(name).isAbsent ? inputs.variable(name, at) : undefined;
    };
    const container = containerOf(line.slice(1), { passedThrough, volumes: options.volumes });
    if (!container || !isImageName(container.image)) {
      (container?.imagePlace ?? place).leave('No image was found in the arguments of "run".');
      return undefined;
    }
    const inside = container.parts.command.flat().map((template) => ({ template, place: place.at('args') }));
    return withoutSecrets(inside) ? { parts: container.parts, image: container.image, handedOn } : undefined;
  }
  const bridged = bridgedEndpoint(line);
  if (bridged?.endpoint) {
    const handedOn = new Set<string>();
    for (const [header, template] of bridged.headers) {
      const own = template.flatMap((part) => {
        const variable = typeof part === 'string' ? undefined : place.at('env').at(part.name);
        if (typeof part === 'string' || !variable || variable.isAbsent) return part;
        handedOn.add(part.name);
        return inputs.template(variable, part.name);
      });
      bridged.headers.set(header, own);
    }
    return addressHoldsSecret(bridged.endpoint, place.at('args')) ? undefined : { parts: bridged, handedOn };
  }
  if (!withoutSecrets(line)) return undefined;
  if (
    /^(?:ba|z|da|k)?sh$|^(?:cmd|powershell|pwsh)$/iu.test(name) &&
    line.some(({ template }) => plainText(template) === undefined)
  ) {
    place.leave(
      'A value would become part of a line that a shell reads. Name the program and its arguments instead.',
    );
    return undefined;
  }
  const parts = new DocumentParts('process');
  parts.command.push(...line.map(({ template }) => [template]));
  const cwd = place.at('cwd');
  const directory = cwd.isAbsent ? undefined : inputs.template(cwd, '');
  const plainDirectory = directory && plainText(directory);
  if (plainDirectory !== undefined && plainDirectory !== '') parts.fixed['cwd'] = plainDirectory;
  else if (!cwd.isAbsent)
    cwd.leave('A directory with places for values is not carried over: set cwd on the instance.');
  return { parts };
}

function remote(place: Place, url: Place, inputs: ClientInputs): Run | undefined {
  const parts = new DocumentParts('url');
  parts.endpoint = inputs.template(url, '');
  if (addressHoldsSecret(parts.endpoint, url)) return undefined;
  if ((place.at('type').text() ?? place.at('transport').text()) === 'sse') parts.fixed['transport'] = 'sse';
  for (const [header, value] of place.at('headers').entries()) {
    const template = inputs.template(value, header);
    parts.headers.set(header, template);
    value.noteSecret(header, plainText(template));
  }
  if (!place.at('auth', 'oauth').isAbsent) {
    place
      .at('auth', 'oauth')
      .leave('A login of users is not carried over: give a header, or authentication.');
  }
  return { parts };
}

function plain(argument: GivenArgument | undefined): string {
  return argument ? (plainText(argument.template) ?? '') : '';
}
