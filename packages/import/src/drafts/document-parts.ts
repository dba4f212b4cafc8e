import type { ArgumentGroup, DocumentDraft, MountDraft, Template } from './server-draft.js';

/** A document while it is put together. */
export class DocumentParts {
  readonly type: DocumentDraft['type'];
  readonly fixed: Record<string, unknown> = {};
  readonly command: ArgumentGroup[] = [];
  readonly environment = new Map<string, Template>();
  readonly headers = new Map<string, Template>();
  readonly volumes: MountDraft[] = [];
  readonly ports = new Map<string, string>();
  endpoint: Template | undefined;
  listens: { readonly transport: 'http' | 'sse'; readonly url: Template } | undefined;

  constructor(type: DocumentDraft['type']) {
    this.type = type;
  }

  draft(): DocumentDraft {
    const { type, fixed, command, environment, headers, volumes, ports, endpoint, listens } = this;
    return {
      ...{ type, fixed, command, environment, headers, volumes },
      ...(endpoint ? { endpoint } : {}),
      ...(listens ? { listens: { ...listens, ports } } : {}),
    };
  }
}
