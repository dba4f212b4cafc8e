/** What applies where a document and the host are silent; times in seconds, as in documents. */
export const defaults = Object.freeze({
  memoryLimit: '512m',
  cpuLimit: '1',
  pidsLimit: 256,
  healthInterval: 30,
  healthTimeout: 10,
  /** A probe may be given no more. */
  healthTimeoutMost: 60,
  healthRetries: 3,
  /** What a health check of type `http` asks for when it names no path. */
  healthPath: '/health',
  startPeriod: 0,
  startupTimeout: 60,
  stopGrace: 10,
  drainTimeout: 30,
  idleTimeout: 300,
  urlTimeout: 30,
  mcpPath: '/mcp',
  /** A call in flight holds back the restart of a server that fails its probes for so long without a byte of it. */
  busyTimeout: 60,
});
