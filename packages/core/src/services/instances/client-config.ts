import { didYouMean } from '../../domain/did-you-mean.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { CommandOptions } from '../context/service-context.js';

/** For whom a configuration is written. */
export interface ClientConfigOptions extends CommandOptions {
  /** `mcpServers` for Claude, Cursor and most others, `vscode` for VS Code. @defaultValue mcpServers */
  readonly format?: 'mcpServers' | 'vscode' | undefined;
  /** What the client shows the gateway, such as `{ Authorization: 'Bearer ${MCP_TOKEN}' }`. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How a client reaches an instance. */
export interface ClientConfigEntry {
  readonly type: 'http';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client's configuration with one server in it, ready to be merged into the client's own. */
export interface ClientConfig {
  readonly mcpServers?: Readonly<Record<string, ClientConfigEntry>>;
  /** As VS Code has it. */
  readonly servers?: Readonly<Record<string, ClientConfigEntry>>;
}

/** Writes the configuration by which a client reaches an instance at the gateway. @throws `INVALID_OPTIONS` */
export function clientConfigOf(
  record: InstanceRecord,
  options: ClientConfigOptions,
  gatewayUrl: string | null,
): ClientConfig {
  const { format = 'mcpServers', headers } = options;
  if (gatewayUrl === null) {
    const message =
      'Clients reach instances at the gateway: give createMCPInfra() its address as gatewayUrl.';
    throw mcpError('INVALID_OPTIONS', message);
  }
  if (!formats.includes(format)) {
    const hint = didYouMean(format, formats) ?? formats[0];
    throw mcpError(
      'INVALID_ARGUMENT',
      `clientConfig() writes ${formats.join(' and ')}; did you mean "${hint}"?`,
    );
  }
  const url = `${gatewayUrl.replace(/\/+$/u, '')}/${record.slug}`;
  const entry: ClientConfigEntry = { type: 'http', url, ...(headers ? { headers } : {}) };
  // Some clients take only such names.
  const name = /^[A-Za-z0-9_-]{1,64}$/u.test(record.name) ? record.name : record.slug;
  const servers = Object.fromEntries([[name, entry]]);
  return format === 'vscode' ? { servers } : { mcpServers: servers };
}

const formats = ['mcpServers', 'vscode'] as const;
