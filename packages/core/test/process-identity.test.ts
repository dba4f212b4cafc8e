import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const program = `
  import { isSurelyDead, processIdentity } from '@mcpinfra/core/plugin';
  const identity = await processIdentity();
  const neighbourIsDead = await isSurelyDead({ ...identity, pid: 999999 });
  process.stdout.write(JSON.stringify({ neighbourIsDead, machineId: identity.machineId }));
`;

/** What a process 1 in its own pid namespace says, on a machine that was booted as `boot`. */
function inContainer(boot: string): { neighbourIsDead: boolean; machineId: string } {
  const asBooted =
    'echo "$1" > /tmp/mcpinfra-boot && mount --bind /tmp/mcpinfra-boot /proc/sys/kernel/random/boot_id';
  const run = `mount -t tmpfs tmpfs /tmp && ${asBooted} && exec "$2" --input-type=module -e "$3"`;
  const namespaces = ['--pid', '--fork', '--mount', '--mount-proc'];
  const command = ['sh', '-ec', run, 'sh', boot, process.execPath, program];
  const cwd = new URL('.', import.meta.url);
  const out = execFileSync('unshare', [...namespaces, ...command], { cwd, encoding: 'utf8' });
  return JSON.parse(out) as ReturnType<typeof inContainer>;
}

// Containers on two machines may have the same name and the same number of their pid namespace.
it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
  'does not take a process in a like container of another machine for one that died with its boot',
  () => {
    const first = inContainer('11111111-1111-4111-8111-111111111111');
    expect(first.neighbourIsDead).toBe(true);
    const second = inContainer('22222222-2222-4222-8222-222222222222');
    expect(second.machineId).not.toBe(first.machineId);
  },
);
