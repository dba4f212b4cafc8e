import { defaults } from '../defaults.js';
import type { OptionChecks } from '../options/option-checks.js';
import { parseByteSize } from './byte-size.js';
import type { ContainerResources } from './container-spec.js';
import type { Forbidden } from './forbidding.js';

/** What a host may say to a provider about the resources of a copy, with all its processes. */
export interface ResourceOptions {
  /** The memory of a copy whose document says nothing. @defaultValue `512m`, or `maxMemory` if that is less */
  readonly defaultMemory?: string | undefined;
  /** The CPUs of a copy whose document says nothing. @defaultValue 1, or `maxCpus` if that is less */
  readonly defaultCpus?: number | undefined;
  /** The processes and threads of a copy whose document says nothing. @defaultValue 256, or `maxPids` if that is less */
  readonly defaultPids?: number | undefined;
  /** The most memory a document may ask for. @defaultValue no bound */
  readonly maxMemory?: string | undefined;
  /** The most CPUs a document may ask for. @defaultValue no bound */
  readonly maxCpus?: number | undefined;
  /** The most processes and threads a document may ask for. @defaultValue no bound */
  readonly maxPids?: number | undefined;
}

/** What applies to documents that ask for nothing, and the most that one may ask for. */
export interface ResourceLimits extends ResourceOptions {
  readonly defaultMemory: string;
  readonly defaultCpus: number;
  readonly defaultPids: number;
}

/** What applies to one document. */
export interface AppliedResources extends ContainerResources {
  readonly memory_limit: string;
  readonly cpu_limit: string;
  readonly pids_limit: number;
}

/** Checks what a host says and fills in the defaults, which are no more than the most. @throws `INVALID_OPTIONS` */
export function resolveResourceLimits(options: ResourceOptions, check: OptionChecks): ResourceLimits {
  const { maxMemory, maxCpus, maxPids } = options;
  const mostBytes = maxMemory === undefined ? Infinity : check.size('maxMemory', maxMemory);
  const mostCpus = maxCpus === undefined ? Infinity : check.above0('maxCpus', maxCpus);
  const mostPids = maxPids === undefined ? Infinity : check.whole('maxPids', maxPids);
  const usualMemory = sizeInBytes(defaults.memoryLimit) > mostBytes ? maxMemory : undefined;
  const defaultMemory = options.defaultMemory ?? usualMemory ?? defaults.memoryLimit;
  const defaultCpus = options.defaultCpus ?? Math.min(Number(defaults.cpuLimit), mostCpus);
  const defaultPids = options.defaultPids ?? Math.min(defaults.pidsLimit, mostPids);
  if (check.size('defaultMemory', defaultMemory) > mostBytes)
    throw check.unexpected('defaultMemory', `at most maxMemory, ${String(maxMemory)}`, defaultMemory);
  if (check.above0('defaultCpus', defaultCpus) > mostCpus)
    throw check.unexpected('defaultCpus', `at most maxCpus, ${mostCpus}`, defaultCpus);
  if (check.whole('defaultPids', defaultPids) > mostPids)
    throw check.unexpected('defaultPids', `at most maxPids, ${mostPids}`, defaultPids);
  return { defaultMemory, defaultCpus, defaultPids, maxMemory, maxCpus, maxPids };
}

/** Tells what a document asks for beyond the most, every fault at once. */
export function forbiddenResources(
  asked: ContainerResources | undefined,
  { maxMemory, maxCpus, maxPids }: ResourceLimits,
): readonly Forbidden[] {
  const { memory_limit: memory, cpu_limit: cpus, pids_limit: pids } = asked ?? {};
  const found: Forbidden[] = [];
  const overLimit = (field: string, amount: string | number, most: string | number): void => {
    const message = `${String(amount)} is more than the ${String(most)} that the host allows; ask for less.`;
    found.push({ code: 'over_limit', path: ['resources', field], message });
  };
  if (memory !== undefined && maxMemory !== undefined && sizeInBytes(memory) > sizeInBytes(maxMemory))
    overLimit('memory_limit', memory, maxMemory);
  if (cpus !== undefined && maxCpus !== undefined && Number(cpus) > maxCpus)
    overLimit('cpu_limit', cpus, maxCpus);
  if (pids !== undefined && maxPids !== undefined && pids > maxPids) overLimit('pids_limit', pids, maxPids);
  return found;
}

/** What applies to a document. */
export function resourcesOf(asked: ContainerResources | undefined, limits: ResourceLimits): AppliedResources {
  return {
    memory_limit: asked?.memory_limit ?? limits.defaultMemory,
    cpu_limit: asked?.cpu_limit ?? String(limits.defaultCpus),
    pids_limit: asked?.pids_limit ?? limits.defaultPids,
  };
}

/** Reads a size that was checked where it came in. */
export function sizeInBytes(size: string | undefined): number {
  return parseByteSize(size ?? '') ?? parseByteSize(defaults.memoryLimit) ?? Infinity;
}
