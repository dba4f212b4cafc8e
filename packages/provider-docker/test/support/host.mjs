export { dockerProvider as provider } from '@mcpinfra/provider-docker';
