import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { programPath } from '../find-program.js';

/** Rules by table, each as iptables-save writes it: `-A CHAIN …`. */
type Rules = Map<string, string[]>;

/**
 * Starts an engine, and puts back the rules of other engines that its start has flushed.
 *
 * dockerd empties the chains it shares by name with every other engine of the machine (`DOCKER`,
 * `DOCKER-ISOLATION-STAGE-1`, …): the networks of those would no longer be kept apart, nor their ports published.
 */
export async function keepFirewall(
  start: () => Promise<void>,
  ownBridges: () => Promise<readonly string[]>,
): Promise<void> {
  const before = await readRules();
  await start();
  if (before === undefined) return;
  const after = await readRules();
  const own = new Set(await ownBridges());
  const script = [...before].flatMap(([table, rules]) => {
    const present = new Set(after?.get(table));
    const lost = rules.filter((rule) => !present.has(rule) && isForeign(rule, own));
    return lost.length === 0 ? [] : [`*${table}`, ...restoreLines(lost), 'COMMIT'];
  });
  if (script.length > 0) await restore(`${script.join('\n')}\n`);
}

/** The start has made its own rules anew, and rules for a bridge that is gone are of no engine. */
function isForeign(rule: string, own: ReadonlySet<string>): boolean {
  const interfaces = [...rule.matchAll(/(?<= -[io] )\S+/g)].map(([name]) => name);
  return interfaces.every((name) => !own.has(name) && existsSync(`/sys/class/net/${name}`));
}

/** At the head of the engines' chains, which end with a RETURN, and at the end of all others. */
function restoreLines(lost: readonly string[]): string[] {
  const isShared = (rule: string) => rule.startsWith('-A DOCKER');
  const shared = lost.filter(isShared).reverse();
  return [...shared.map((rule) => rule.replace('-A', '-I')), ...lost.filter((rule) => !isShared(rule))];
}

async function readRules(): Promise<Rules | undefined> {
  const saved = await promisify(execFile)('iptables-save', { env: { PATH: programPath() } }).catch(
    () => undefined,
  );
  if (saved === undefined) return undefined;
  const rules: Rules = new Map();
  let table: string[] = [];
  for (const line of saved.stdout.split('\n')) {
    if (line.startsWith('*')) rules.set(line.slice(1), (table = []));
    else if (line.startsWith('-A ')) table.push(line);
  }
  return rules;
}

async function restore(script: string): Promise<void> {
  const child = spawn('iptables-restore', ['--noflush'], {
    env: { PATH: programPath() },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(script);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`iptables-restore failed with ${String(code)}: ${stderr}\n${script}`);
}
