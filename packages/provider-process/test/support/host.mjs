export { processProvider as provider } from '@mcpinfra/provider-process';
