/**
 * What documents of several types have in common, for the schema of another one.
 */
export { argumentList, commandLine, commandRule, withoutAlias } from './arguments.js';
export { httpUrl, seconds, secondsOrNone, someText } from './common.js';
export { environment, labels, plainEnvironment } from './environment.js';
export { healthCheck } from './health-check.js';
export { lifecycle } from './lifecycle.js';
export { alias, endpointPath, hostHeader, port, protocolEra, reachRule, transport } from './reach.js';
export { memoryLimit, pidsLimit } from './resources.js';
export { session } from './session.js';
export { specObject, withoutNulls, type Report, type Rule } from './spec-object.js';
