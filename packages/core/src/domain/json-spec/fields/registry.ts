import { someText } from './common.js';
import { specObject } from './spec-object.js';

/** With what an image is fetched from a private registry. */
export const registry = specObject({ username: someText, password: someText });
