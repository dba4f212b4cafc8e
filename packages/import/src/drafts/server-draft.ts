import type { EnvVariable, EnvVariableFormat, MCPServer } from '@mcpinfra/core/plugin';

/** A value that a document asks for, or accepts. */
export interface ImportInput {
  /** What the value is given by. */
  readonly name: string;
  /** What it becomes: a variable, a header, an argument, or a part of several of them. */
  readonly kind: 'variable' | 'header' | 'argument' | 'input';
  /** JSON pointer to where it is asked for. */
  readonly path: string;
  /** What the document says of it. */
  readonly description?: string | undefined;
  /** Whether nothing can run without it. */
  readonly required: boolean;
  /** Whether it is kept in the secret store and shown nowhere. */
  readonly secret: boolean;
  /** What is taken where nothing is given. */
  readonly default?: string | readonly string[] | undefined;
  /** The only values taken. */
  readonly choices?: readonly string[] | undefined;
  /** An example, never used as a value. */
  readonly placeholder?: string | undefined;
  /** What the text has to be. */
  readonly format?: 'number' | 'integer' | 'boolean' | EnvVariableFormat | undefined;
  /** Whether several values can be given. */
  readonly repeated?: boolean | undefined;
}

/** Text with places for values. */
export type Template = readonly (string | ImportInput)[];

/** Arguments that stand or fall together, such as an option and its value; repeated for each value of a repeated input. */
export type ArgumentGroup = readonly Template[];

/** What a definition is registered with. */
export type DefinitionDraft = Pick<MCPServer, 'name' | 'description' | 'dockerImageUrl' | 'version'> & {
  readonly tags: readonly string[];
  readonly envSchema: readonly EnvVariable[];
  readonly status?: MCPServer['status'] | undefined;
  readonly labels?: MCPServer['labels'] | undefined;
};

/** A mount as the command line of an engine writes it. */
export interface MountDraft {
  readonly syntax: 'volume' | 'mount';
  readonly text: Template;
  readonly path: string;
}

/** The document of an instance, with places for values. */
export interface DocumentDraft {
  readonly type: 'docker' | 'process' | 'url';
  /** Fields without places for values. */
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly command: readonly ArgumentGroup[];
  readonly environment: ReadonlyMap<string, Template>;
  readonly headers: ReadonlyMap<string, Template>;
  readonly volumes: readonly MountDraft[];
  /** The endpoint of a remote server. */
  readonly endpoint?: Template | undefined;
  /** Where a server that runs here listens, as its clients see it. */
  readonly listens?: {
    readonly transport: 'http' | 'sse';
    readonly url: Template;
    /** The ports inside by the ports outside. */
    readonly ports: ReadonlyMap<string, string>;
  };
}

/** One way to run one server of a document. */
export interface ServerDraft {
  /** JSON pointer to what it was read from. */
  readonly path: string;
  readonly definition: DefinitionDraft;
  readonly instance: { readonly name: string; readonly desiredState: 'running' | 'stopped' };
  readonly document: DocumentDraft;
}

/** The ways to run one server, of which one is taken; empty where there is none. */
export type ServerWays = readonly ServerDraft[];
