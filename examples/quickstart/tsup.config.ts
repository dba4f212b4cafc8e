import { program } from '../../tsup.base.js';

export default program({ quickstart: 'src/quickstart.ts' });
