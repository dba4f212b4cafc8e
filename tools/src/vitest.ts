export { serviceOrSkip } from './services/service-or-skip.js';
