import type { ProviderBench } from './provider-bench.js';

type Reason = (bench: ProviderBench) => string | null;

/** What lives nowhere cannot be gone, listed or started again: core takes its own row for the truth. */
export const livesNowhere: Reason = (bench) =>
  bench.livesNowhere ? 'its placement is *: what lives nowhere is not observed' : null;

/** Nobody can take over what ends with its process. */
export const endsWithProcess: Reason = (bench) =>
  bench.provider.copiesEndWithProcess === true ? 'its copies end with the process that made them' : null;

/** A case about a document that the harness does not give. */
export const without =
  (name: keyof ProviderBench['documents']): Reason =>
  (bench) =>
    bench.documents[name] === undefined ? `the harness gives no document "${name}"` : null;

/** A case about a method that the provider may leave out. */
export const lacks =
  (name: keyof ProviderBench['provider']): Reason =>
  (bench) =>
    bench.provider[name] === undefined ? `it has no ${name}()` : null;

/** The first reason there is. */
export const anyOf =
  (...reasons: readonly Reason[]): Reason =>
  (bench) => {
    for (const reason of reasons) {
      const said = reason(bench);
      if (said !== null) return said;
    }
    return null;
  };
