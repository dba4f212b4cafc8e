import { prepared, type Statement } from './statement.js';
import { timestamp } from './timestamp.js';

/** The statements of leases. */
export interface LeaseStatements {
  readonly acquire: Statement;
  readonly renew: Statement;
  readonly release: Statement;
  readonly list: Statement;
  readonly void: Statement;
  /** Locks, until the connection ends, what shows that a holder lives. */
  readonly show: Statement;
  /** Has the leases of holders whose connection ended run out soon. */
  readonly bury: Statement;
}

/**
 * Writes the statements of leases for a quoted schema.
 *
 * Rows are locked in the order of their names, so that no two callers wait for each other. `clock_timestamp()` is the time
 * when a row is looked at, after having waited for it.
 */
export function leaseStatements(schema: string): LeaseStatements {
  const columns = `l.name, l.holder_id, l.epoch, ${timestamp('l.expires_at')} as expires_at, l.address`;
  return {
    // The epoch is given under the lock of the row, so that it rises with each change of holder.
    acquire:
      prepared(`insert into ${schema}.leases as l (name, holder_id, epoch, expires_at, address, watched_holder)
select name, $2::text, nextval('${schema}.lease_epochs'), clock_timestamp() + $3::float8 * interval '1 ms', $4::text,
  case when $5::bool then $2::text end
from unnest($1::text[]) as wanted (name) order by name
on conflict (name) do update set
  epoch = case when l.holder_id = excluded.holder_id then l.epoch else nextval('${schema}.lease_epochs') end,
  holder_id = excluded.holder_id,
  expires_at = clock_timestamp() + $3::float8 * interval '1 ms',
  address = excluded.address,
  watched_holder = excluded.watched_holder
where l.holder_id = excluded.holder_id or l.expires_at <= clock_timestamp()
returning ${columns}`),
    renew: prepared(`with mine as materialized (
  select name from ${schema}.leases where holder_id = $1::text and expires_at > clock_timestamp() order by name for update
)
update ${schema}.leases l set expires_at = clock_timestamp() + $2::float8 * interval '1 ms', address = $3::text,
  watched_holder = case when $4::bool then $1::text end
from mine where l.name = mine.name
returning ${columns}`),
    release: prepared(`with mine as materialized (
  select name, expires_at > clock_timestamp() as alive
  from ${schema}.leases where holder_id = $2::text and name = any($1::text[]) order by name for update
)
update ${schema}.leases l set holder_id = null, expires_at = '-infinity', address = null
from mine where l.name = mine.name
returning mine.alive`),
    list: prepared(
      `select ${columns} from ${schema}.leases l where l.expires_at > clock_timestamp() order by l.name`,
    ),
    void: prepared(
      `update ${schema}.leases set holder_id = null, expires_at = '-infinity', address = null where holder_id is not null`,
    ),
    show: prepared(`select pg_advisory_lock_shared(${lockOf('$1::text')})`),
    // One that is being prolonged at the moment is left alone.
    bury: prepared(`with gone as materialized (
  select l.name from ${schema}.leases l
  where l.watched_holder = l.holder_id and l.expires_at > clock_timestamp() + $1::float8 * interval '1 ms'
    and not exists (
      select from pg_locks k
      where k.locktype = 'advisory' and k.objsubid = 1
        and k.database = (select oid from pg_database where datname = current_database())
        and k.classid = ((${lockOf('l.holder_id')} >> 32) & 4294967295)::oid
        and k.objid = (${lockOf('l.holder_id')} & 4294967295)::oid
    )
  order by l.name for update skip locked
)
update ${schema}.leases l set expires_at = clock_timestamp() + $1::float8 * interval '1 ms'
from gone where l.name = gone.name
returning l.name`),
  };
}

/** The number of the lock by which a holder shows that it lives. */
function lockOf(holder: string): string {
  return `hashtextextended('mcpinfra holder ' || ${holder}, 0)`;
}
