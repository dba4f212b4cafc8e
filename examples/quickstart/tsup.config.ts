import { program } from '../../tsup.base.js';

export default program({
  quickstart: 'src/quickstart.ts',
  'search-host.node-test': 'src/search-host.node-test.js',
});
