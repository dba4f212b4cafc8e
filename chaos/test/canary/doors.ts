import { makeCanary } from './canary.js';
import type { Hit } from './ledger.js';

// By which way a value reaches what may know it.
const inContainers = [
  'environment in clear',
  'environment by reference',
  'reference inside a text',
  'name of a secret',
  'merge patch',
  'environment.set',
  'environment.rotate',
  'rotation in the backend',
  'environment of a leaky container',
] as const;
const inFiles = ['file in clear', 'file by reference'] as const;
const inProcesses = ['environment of a process'] as const;
const atRemotes = [
  'bearer token',
  'basic password',
  'header of authentication',
  'header in clear',
  'header by reference',
  'client secret',
  'access token',
  'registry password',
  'client secret that is refused',
  'header of a server that fails',
] as const;
const dyingInContainers = ['environment of a container that dies', 'update that is rolled back'] as const;
/** Of servers that never come up, and of documents that are refused. */
const nowhere = [
  'environment of a process that dies',
  'environment of a process that refuses',
  'value of a wrong type',
  'misspelt field',
  'address with a password',
  'argument of a call',
  'redis password',
  'postgres password',
] as const;
/** No secret: it shows that each place is looked at. */
export const witness = makeCanary('witness');
export const canaries = [
  ...inContainers,
  ...inFiles,
  ...inProcesses,
  ...atRemotes,
  ...dyingInContainers,
  ...nowhere,
].map(makeCanary);
/** By which a value goes in. */
export type Door = (
  | typeof inContainers
  | typeof inFiles
  | typeof inProcesses
  | typeof atRemotes
  | typeof dyingInContainers
  | typeof nowhere
)[number];
/** The value that goes in by a door. */
export const of = (door: Door): string => canaries.find((canary) => canary.door === door)?.value ?? '';

/** Where a value has to be, and nowhere else. */
export const allowed: readonly { readonly place: RegExp; readonly doors: readonly Door[] }[] = [
  { place: /^environment of a container$/, doors: inContainers },
  { place: /^environment of a server$/, doors: [...inContainers, ...inProcesses] },
  { place: /^secret file /, doors: inFiles },
  { place: /^what arrived elsewhere$/, doors: atRemotes },
  // A registry that repeats what it was shown is quoted by the engine itself.
  { place: /^engine file \/dockerd\.log$/, doors: ['registry password'] },
];
/** Where the engine keeps the environment of a container and what its server wrote. */
export const engineFiles =
  /^engine file .*\/(?:config\.v2\.json|config\.json|[0-9a-f]{64}-json\.log|container\.log|meta\.db)$/;
const inEnvironments: readonly string[] = [...inContainers, ...dyingInContainers];

/** Whether a value is where it has to be, or where the engine keeps what a container was given. */
export function isAllowed({ place, door }: Hit): boolean {
  const isEnvironment = engineFiles.test(place) || /^environment of a (?:container|server)$/.test(place);
  if (isEnvironment && inEnvironments.includes(door)) return true;
  return allowed.some(
    (entry) => entry.place.test(place) && (entry.doors as readonly string[]).includes(door),
  );
}
