// The code of docs/guide/importing.md. It is compiled, and test/importing.test.ts runs it.

import { readFile } from 'node:fs/promises';
import type { ClientConfig, MCPInfra } from '@mcpinfra/core';
import { importFleet, readImport, type ImportResult } from '@mcpinfra/import';

/** Imports what is written for a client, asking for what it needs. */
export async function importFile(
  infra: MCPInfra,
  path: string,
  ask: (question: string) => Promise<string>,
): Promise<ImportResult> {
  //#region needs
  const text = await readFile(path, 'utf8'); // server.json, mcp.json, server.yaml, …
  const { format, needs, notCarried } = await importFleet(infra, text, { dryRun: true });
  console.log(format, notCarried); // 'mcpServers', and what has no counterpart here

  const values: Record<string, string> = {};
  for (const { instance, name, description, secret } of needs) {
    values[`${instance}/${name}`] = await ask(`${description ?? name}${secret ? ' (secret)' : ''}: `);
  }
  //#endregion

  //#region values
  const { created, unchanged, errors } = await importFleet(infra, text, { values });
  console.log(created, unchanged, errors); // ['server/github@1.0.0', 'instance/github'] [] []
  //#endregion
  return importFleet(infra, text, { values });
}

/** Tells what is in a text and what it would need, without a fleet. */
export function previewText(text: string): readonly string[] {
  //#region preview
  const { document, needs, notCarried } = readImport(text, { type: ['docker', 'url'] });
  console.log(document.servers, document.instances); // what infra.apply() takes
  console.log(needs, notCarried);
  //#endregion
  return needs.map(({ name }) => name);
}

/** Registers a catalogue, and makes an instance of one of its servers. */
export async function importCatalogue(infra: MCPInfra, text: string, token: string): Promise<void> {
  //#region catalogue
  await importFleet(infra, text); // registers every server of the list, makes no instance
  await importFleet(infra, text, {
    instances: ['github'],
    values: { GITHUB_PERSONAL_ACCESS_TOKEN: token },
  });
  //#endregion
}

/** Writes what a client needs to reach an instance. */
export async function exportForClient(infra: MCPInfra, id: string): Promise<ClientConfig> {
  //#region client-config
  const config = await infra.instances.clientConfig(id, {
    headers: { Authorization: 'Bearer ${MCP_TOKEN}' }, // what your gateway's authenticate() expects
  });
  console.log(JSON.stringify(config, null, 2)); // { "mcpServers": { "github": { "type": "http", "url": … } } }
  //#endregion
  return config;
}
