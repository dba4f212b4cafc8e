import { program } from '../tsup.base.js';

export default program({
  main: 'src/main.ts',
  // Started in processes of their own.
  'timed-import': 'src/import/timed-import.ts',
  empty: 'src/import/empty.ts',
  consumer: 'src/events/consumer.ts',
  'fleet-member': 'src/events/fleet-member.ts',
  'hostile-other-host': 'src/hostile/other-host.ts',
});
