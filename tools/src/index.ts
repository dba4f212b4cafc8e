import { builtProgram } from './package-folder.js';

export { freePort } from './free-port.js';
export { buildImages, type ImageSpec } from './images/build-images.js';
export type { Layer, LayerEntry } from './images/layer.js';
export { packageLayer } from './images/package-layer.js';
export { type SeedImage, seedImages } from './images/seed-images.js';
export {
  type InfisicalControls,
  type InfisicalRequest,
  type InfisicalServer,
  type InfisicalServerOptions,
  startInfisicalServer,
} from './infisical-server/infisical-server.js';
export { loadedModules } from './loaded-modules.js';
export {
  type DockerEngine,
  type PrivateDockerEngine,
  type PrivateDockerEngineOptions,
  startDockerEngine,
  startPrivateDockerEngine,
} from './services/docker-engine.js';
export { exchange } from './services/exchange.js';
export { externalCredentials } from './services/external/credentials.js';
export {
  type ExternalServer,
  type ExternalServerOptions,
  type ReceivedRequest,
  startExternalServer,
} from './services/external-server.js';
export { type FreezableProxy, freezableProxy } from './services/freezable-proxy.js';
export {
  type PostgresServer,
  type PrivatePostgresOptions,
  type PrivatePostgresServer,
  startPostgres,
  startPrivatePostgres,
} from './services/postgres.js';
export {
  type PrivateRedisOptions,
  type PrivateRedisServer,
  type RedisServer,
  startPrivateRedis,
  startRedis,
} from './services/redis.js';
export { publicDocument, publicDocuments } from './public-documents.js';
export { ServiceUnavailable } from './services/service-unavailable.js';

/** The path of the well-behaved MCP server, which speaks both eras over stdio and HTTP. */
export const fixtureServer: string = builtProgram('fixture-server.js');

/** The path of the MCP server that misbehaves in the way its first argument names. */
export const hostileServer: string = builtProgram('hostile-server.js');
export { plainShapes, secretShapes, type Shape } from './secret-shapes.js';
