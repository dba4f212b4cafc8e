import { request } from 'node:http';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';

/** A container engine that answers. */
export interface Engine {
  readonly socketPath: string;
  /** Whether an address of a container leads there from here: not into a virtual machine or another container's world. */
  readonly sharesNetwork: boolean;
}

/** Where an engine is looked for when no variable names one. */
const usualHost = 'unix:///var/run/docker.sock';
const variables = ['MCPINFRA_TEST_DOCKER_HOST', 'DOCKER_HOST'];

interface EngineFacts {
  readonly Name?: string;
  readonly OSType?: string;
  readonly SecurityOptions?: readonly string[] | null;
}

/** Finds the engine that the environment names, or the one at the usual place. Gives a text that says why there is none. */
export async function findEngine(): Promise<Engine | string> {
  const variable = variables.find((name) => (process.env[name] ?? '') !== '');
  const dockerHost = variable === undefined ? usualHost : (process.env[variable] ?? '');
  const socketPath = dockerHost.replace(/^unix:\/\//, '');
  if (!socketPath.startsWith('/')) return `${variable}=${dockerHost} names no engine on a unix socket`;
  try {
    const facts = await askEngine<EngineFacts>(socketPath, '/info', { timeoutMs: 5_000 });
    if (facts.OSType !== 'linux') return `the engine at ${dockerHost} runs no Linux containers`;
    const isRootless = facts.SecurityOptions?.some((option) => option.includes('rootless')) ?? false;
    return { socketPath, sharesNetwork: facts.Name === hostname() && !isRootless };
  } catch {
    return `no container engine answers at ${dockerHost}`;
  }
}

/** Asks an engine and returns its answer. The quickstart does not look at the library's work through the library's eyes. */
export async function askEngine<T>(
  socketPath: string,
  path: string,
  { method = 'GET', timeoutMs = 20_000 }: { readonly method?: string; readonly timeoutMs?: number } = {},
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  const [status, answer] = await new Promise<[number, string]>((resolve, reject) => {
    const asked = request({ socketPath, path, method, agent: false, signal }, (response) => {
      text(response).then((body) => resolve([response.statusCode ?? 0, body]), reject);
    });
    asked.on('error', reject).end();
  });
  if (status >= 400)
    throw new Error(`The engine answered ${method} ${path} with ${status}: ${answer.trim()}`);
  return (answer === '' ? undefined : JSON.parse(answer)) as T;
}
