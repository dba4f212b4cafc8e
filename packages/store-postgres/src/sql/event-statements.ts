import { prepared, type Statement } from './statement.js';

/** The statements of the event log that are always the same. */
export interface EventStatements {
  readonly number: Statement;
  readonly head: Statement;
  readonly cursor: Statement;
  readonly saveCursor: Statement;
  readonly setCursor: Statement;
  readonly forgetGroup: Statement;
  readonly cursors: Statement;
  readonly addDeadLetter: Statement;
  readonly deadLetters: Statement;
  readonly removeDeadLetter: Statement;
  readonly trim: Statement;
}

/**
 * So many positions are left out after the last one that is known of, where the log ends before it: more than any process
 * can have read that whoever numbers has not heard of.
 */
const leftOut = 1_000;

/** Writes the statements of the event log for a quoted schema. */
export function eventStatements(schema: string): EventStatements {
  return {
    // Who finds the head moved since the statement began has looked at events that are numbered by now: it changes nothing,
    // and is told that there was something to number. A log that ends before a position that was given has been restored:
    // readers are beyond its end, and would never see what came at positions that they have passed.
    number: prepared(`with log as materialized (
  select head, case when head < $2::bigint then $2::bigint + ${leftOut} else head end as before from ${schema}.store
), waiting as materialized (
  select id, row_number() over (order by id) as nth
  from (select id from ${schema}.events where position is null order by id limit $1::bigint) oldest
), moved as (
  update ${schema}.store set head = log.before + (select count(*) from waiting)
  from log where store.head = log.head and exists (select from waiting)
  returning log.before
), numbered as (
  update ${schema}.events e set position = moved.before + waiting.nth
  from moved, waiting where e.id = waiting.id and e.position is null
  returning e.position, e.resource_version, e.body
)
select exists (select from waiting) as waiting, n.position, n.resource_version, n.body
from (select) one left join numbered n on true
order by n.position`),
    head: prepared(`select head from ${schema}.store`),
    cursor: prepared(`select position from ${schema}.cursors where name = $1::text`),
    saveCursor: prepared(`insert into ${schema}.cursors (name, position) values ($1::text, $2::bigint)
on conflict (name) do update set position = excluded.position where cursors.position < excluded.position`),
    setCursor: prepared(`insert into ${schema}.cursors (name, position) values ($1::text, $2::bigint)
on conflict (name) do update set position = excluded.position`),
    forgetGroup: prepared(`with letters as (
  delete from ${schema}.dead_letters where name = $1::text
)
delete from ${schema}.cursors where name = $1::text`),
    cursors: prepared(`select c.name, c.position, (
  select count(*) from ${schema}.dead_letters d where d.name = c.name
) as dead_letters
from ${schema}.cursors c where starts_with(c.name, $1::text) order by c.name`),
    addDeadLetter: prepared(`insert into ${schema}.dead_letters (name, position, body)
values ($1::text, $2::bigint, $3::json)
on conflict (name, position) do update set body = excluded.body`),
    deadLetters: prepared(`select body from ${schema}.dead_letters
where name = $1::text and position > $2::bigint order by position limit $3::bigint`),
    removeDeadLetter: prepared(
      `delete from ${schema}.dead_letters where name = $1::text and position = $2::bigint`,
    ),
    // From the old end up to the first that is young enough: a gap in what is left would look like an event missed.
    trim: prepared(`with log as materialized (
  select head, removed from ${schema}.store
), kept as materialized (
  select min(e.position) as position from (
    select position from ${schema}.events, log
    where position > log.removed and position <= log.head and time >= $1::timestamptz order by position limit 1
  ) e
), cut as materialized (
  select greatest(log.removed, coalesce(kept.position - 1, log.head)) as position from log, kept
), gone as (
  delete from ${schema}.events using cut where events.position <= cut.position returning 1
), moved as (
  update ${schema}.store set removed = cut.position from cut where store.removed < cut.position
)
select count(*) as count from gone`),
  };
}
