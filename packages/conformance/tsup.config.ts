import { library } from '../../tsup.base.js';

export default library({
  provider: 'src/provider.ts',
  hosting: 'src/provider/hosting.ts',
  store: 'src/store.ts',
  'event-bus': 'src/event-bus.ts',
  'secret-resolver': 'src/secret-resolver.ts',
});
