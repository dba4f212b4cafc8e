import { isSurelyDead, parseEphemeralFleet, type Logger } from '@mcpinfra/core/plugin';
import { copyKey, isSameProcess, type CopyMarks } from './copy-marks.js';
import { findBearers, killMembers } from './copy-members.js';

/**
 * Ends what hosts left that were killed: copies of our fleet, and of fleets that died with their process, whose host
 * has surely ended. What belongs to a living host, or to one of which nothing is known, is left alone.
 */
export async function endLeftovers(fleet: string, logger: Logger): Promise<void> {
  const left = (await findBearers(() => true)).map(({ marks }) => marks);
  // By owner too: a new host may have made a copy of the same name, which is no leftover.
  for (const marks of new Map(left.map((one) => [copyKey(one) + JSON.stringify(one.owner), one])).values()) {
    if (!(await isLeftover(marks, fleet))) continue;
    const isMeant = (found: CopyMarks): boolean =>
      copyKey(found) === copyKey(marks) && isSameProcess(found.owner, marks.owner);
    const survivors = await killMembers({ isMeant });
    const fields = { ...marks.copy, survivors };
    if (survivors.length === 0) logger.info('Ended a server that a killed host left.', fields);
    else logger.warn('A server that a killed host left does not end.', fields);
  }
}

async function isLeftover({ fleet, owner }: CopyMarks, ours: string): Promise<boolean> {
  if (!(await isSurelyDead(owner))) return false;
  const ephemeralOwner = parseEphemeralFleet(fleet);
  return fleet === ours || (ephemeralOwner !== undefined && (await isSurelyDead(ephemeralOwner)));
}
