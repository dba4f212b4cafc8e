import type { DefinitionDraft } from '../drafts/server-draft.js';

/** What the ways of one registry entry share. */
export interface RegistryServer {
  readonly definition: Omit<DefinitionDraft, 'dockerImageUrl' | 'envSchema'>;
  readonly instanceName: string;
}
