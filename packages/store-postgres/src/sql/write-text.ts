/** What a write changes. */
export interface WriteParts {
  /** The quoted schema. */
  readonly schema: string;
  /** How many values the change has itself; those of its effects come after. */
  readonly values: number;
  /**
   * Writes the change. It happens only where `allowed` holds, and returns `version`, that of its events.
   *
   * @param fence - the place of the fence's value, where there is one
   */
  readonly change: (allowed: string, fence: string | undefined) => string;
  /** Writes what has to follow from `changed` in another table. */
  readonly follow?: string | undefined;
}

/** What the text of a write depends on besides. */
export interface WriteShape {
  readonly fenced: boolean;
  readonly events: number;
  readonly counters: number;
}

/** The columns of an event in the order of their values, with their types. */
const eventColumns = { tenant: 'text', type: 'text', subject: 'text', time: 'timestamptz', body: 'json' };
const counterTypes = ['text', 'bigint', 'bigint'];

/**
 * Writes a change of a row, its events and its counters as one statement.
 *
 * Values are written out one by one: lists of them, taken apart by the server, cost as much as all the rest.
 */
export function writeText(parts: WriteParts, { fenced, events, counters }: WriteShape): string {
  const { schema, values, change, follow } = parts;
  let last = values;
  const next = (type: string): string => `$${(last += 1)}::${type}`;
  const rows = (count: number, types: readonly string[]): string[] =>
    Array.from({ length: count }, () => types.map(next).join(', '));

  const fence = fenced ? next('bigint') : undefined;
  const appended = rows(events, Object.values(eventColumns));
  const wanted = rows(counters, counterTypes);
  const conditions: string[] = [];
  const clauses: string[] = [];
  if (fence !== undefined) conditions.push(fenceHolds(schema, fence));
  if (counters > 0) {
    clauses.push(...limits(schema, wanted));
    conditions.push(withinLimits);
  }
  const changing = change(conditions.length === 0 ? 'true' : conditions.join(' and '), fence);
  clauses.push(`changed as (\n  ${changing}\n)`);
  if (follow !== undefined) clauses.push(`followed as (\n  ${follow}\n)`);
  if (counters > 0) clauses.push(count(schema));
  const told = events > 0 ? append(schema, appended) : 'select version from changed';
  return `with ${clauses.join(', ')}\n${told}`;
}

function fenceHolds(schema: string, fence: string): string {
  return `exists (select from ${schema}.leases where epoch = ${fence} and expires_at > clock_timestamp())`;
}

/** In the order they were given: what is appended together keeps its order. */
function append(schema: string, rows: readonly string[]): string {
  const columns = Object.keys(eventColumns).join(', ');
  const insert = `insert into ${schema}.events (${columns}, resource_version)`;
  if (rows.length === 1) return `${insert}\nselect ${rows.join('')}, version from changed`;
  const numbered = rows.map((row, index) => `(${index}, ${row})`).join(', ');
  return `${insert}
select ${columns}, version from changed, (values ${numbered}) as e (nth, ${columns}) order by nth`;
}

/** A counter that is limited is locked before the change: what is compared is then what is changed. */
function limits(schema: string, rows: readonly string[]): string[] {
  return [
    `wanted (name, by, max) as materialized (values ${rows.map((row) => `(${row})`).join(', ')})`,
    `limited as materialized (
  select c.value + w.by <= w.max as free
  from ${schema}.counters c join wanted w on w.name = c.name and w.by > 0 and w.max is not null
  order by c.name for update of c
)`,
  ];
}

const withinLimits =
  '(select count(*) from limited where free) = (select count(*) from wanted where by > 0 and max is not null)';

function count(schema: string): string {
  return `counted as (
  insert into ${schema}.counters (name, value) select w.name, w.by from wanted w, changed order by w.name
  on conflict (name) do update set value = counters.value + excluded.value
)`;
}
