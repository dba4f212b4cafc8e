/**
 * The part of the plugin surface that needs no schema, so that importing core does not load zod for its own adapters.
 * Everything here is exported by `plugin.ts` too, under the same name.
 */
export { BoundedCalls } from './async/bounded-calls.js';
export { Listeners } from './async/listeners.js';
export { mcpError } from './domain/errors/mcpinfra-error.js';
export { eventTypes } from './domain/events/event-map.js';
export { formatEphemeralFleet } from './domain/fleet/ephemeral-fleet.js';
export { checkListLimit, listPage, parseListCursor } from './domain/list-page.js';
export { OptionChecks } from './domain/options/option-checks.js';
export { formatSecretReference, parseSecretReference, secretId } from './domain/secrets/secret-reference.js';
export { Secret } from './domain/secrets/secret.js';
export { sleep } from './async/sleep.js';
export { systemClock } from './runtime/system-clock.js';
export { processIdentity } from './runtime/process-identity.js';
export { orAborted, throwIfAborted } from './async/abort.js';
