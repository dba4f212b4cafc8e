import type { McpServer } from '@modelcontextprotocol/server';
import { redPixel, silence, textPart, textResult } from '../samples.js';

/** Tools that answer at once with each kind of content. */
export function registerContentTools(server: McpServer): void {
  server.registerTool('test_simple_text', { description: 'Returns a text.' }, () =>
    textResult('This is a simple text response for testing.'),
  );
  server.registerTool('test_image_content', { description: 'Returns a picture.' }, () => ({
    content: [redPixel],
  }));
  server.registerTool('test_audio_content', { description: 'Returns a sound.' }, () => ({
    content: [silence],
  }));
  server.registerTool('test_embedded_resource', { description: 'Returns a resource.' }, () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }));
  server.registerTool(
    'test_multiple_content_types',
    { description: 'Returns a text, a picture and a resource.' },
    () => ({
      content: [
        textPart('Multiple content types test:'),
        redPixel,
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: JSON.stringify({ test: 'data', value: 123 }),
          },
        },
      ],
    }),
  );
  server.registerTool('test_error_handling', { description: 'Always fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
}
