import type { MCPLinks } from '../ports/mcp-link.js';
import type { MCPLinksOptions } from './create-mcp-links.js';

/** Loads what speaking to servers needs, so that importing the package need not and no first start or call waits for it. */
export async function loadMCPLinks(options: MCPLinksOptions): Promise<MCPLinks> {
  const [{ createMCPLinks }] = await Promise.all([
    import('./create-mcp-links.js'),
    import('./http/over-http.js'),
    import('./stdio/over-stdio.js'),
  ]);
  return createMCPLinks(options);
}
