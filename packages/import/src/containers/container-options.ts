import { isEnvironmentName, isPlaceholder } from '@mcpinfra/core/plugin';
import type { DocumentParts } from '../drafts/document-parts.js';
import type { DocumentNode } from '../documents/document-node.js';
import type { ImportInput, Template } from '../drafts/server-draft.js';
import { cutTemplate, plainText } from '../drafts/template.js';

/** What the options of `docker run` are read with. */
export interface ContainerOptionRules {
  /** Gives the value of a variable that is handed through from the caller's own environment. */
  readonly passedThrough: (name: string, node: DocumentNode) => ImportInput | undefined;
  /** Whether mounts are carried over. */
  readonly volumes: boolean;
}

/** Tells whether an option of `docker run` stands alone; every other takes the argument after it. */
export function standsAlone(option: string): boolean {
  return /^-[itdPq]+$/u.test(option) || alone.has(option.split('=', 1)[0] ?? '');
}

/** Reads one option of `docker run` into a document, or says that it is left behind. */
export function applyContainerOption(
  parts: DocumentParts,
  option: { readonly name: string; readonly value: Template; readonly node: DocumentNode },
  rules: ContainerOptionRules,
): void {
  const { name, value, node } = option;
  if (implied.has(name) || /^-[itdq]+$/u.test(name)) return;
  const text = plainText(value);
  if (name === '-e' || name === '--env') {
    applyVariable(parts, { value, node }, rules);
  } else if (name === '-v' || name === '--volume' || name === '--mount') {
    if (rules.volumes) {
      parts.volumes.push({ syntax: name === '--mount' ? 'mount' : 'volume', text: value, path: node.path });
    } else {
      node.leave(
        'A mount is carried over only with { volumes: true }, and the provider has to allow its source.',
      );
    }
  } else if ((name === '-p' || name === '--publish') && text !== undefined) {
    const [inside, outside] = text.split(':').reverse();
    if (inside !== undefined) parts.ports.set(outside ?? inside, inside.replace(/\/tcp$/u, ''));
  } else if (text === undefined || !Object.hasOwn(fields, name)) {
    const grant = name.startsWith('--net')
      ? ' What it may reach is said in network.egress and network.allow.'
      : '';
    node.leave(`The option ${name.slice(0, 40)} of "docker run" is not carried over.${grant}`);
  } else {
    Object.assign(parts.fixed, fields[name]?.(text, parts.fixed));
  }
}

function applyVariable(
  parts: DocumentParts,
  { value, node }: { readonly value: Template; readonly node: DocumentNode },
  rules: ContainerOptionRules,
): void {
  const assigned = cutTemplate(value, '=');
  const name = assigned ? assigned[0] : plainText(value);
  if (name === undefined || !isEnvironmentName(name)) {
    node.leave('Expected a variable as NAME or NAME=value after -e.');
  } else if (assigned && !isPlaceholder(plainText(assigned[1]) ?? '')) {
    parts.environment.set(name, assigned[1]);
    node.noteSecret(name, plainText(assigned[1]));
  } else if (!parts.environment.has(name)) {
    const input = rules.passedThrough(name, node);
    if (input) parts.environment.set(name, [input]);
  }
}

type Fixed = Readonly<Record<string, unknown>>;
const resource = (name: string) => (text: string, fixed: Fixed) => ({
  resources: { ...(fixed['resources'] as object | undefined), [name]: text },
});
const user = (text: string) => ({ user: text });
const workdir = (text: string) => ({ workdir: text });
const fields: Readonly<Record<string, (text: string, fixed: Fixed) => object>> = {
  '-u': user,
  '--user': user,
  '-w': workdir,
  '--workdir': workdir,
  '-m': resource('memory_limit'),
  '--memory': resource('memory_limit'),
  '--cpus': resource('cpu_limit'),
  '--entrypoint': (text) => ({ entrypoint: [text] }),
};

// What every container has anyway, or what only concerns the one who types the line.
const implied = new Set([
  '--interactive',
  '--tty',
  '--detach',
  '--rm',
  '--init',
  '--name',
  '--pull',
  '--quiet',
  '--read-only',
  '--restart',
]);
const alone = new Set([
  '--detach',
  '--disable-content-trust',
  '--init',
  '--interactive',
  '--no-healthcheck',
  '--oom-kill-disable',
  '--privileged',
  '--publish-all',
  '--quiet',
  '--read-only',
  '--rm',
  '--sig-proxy',
  '--tty',
]);
