import { type InstanceQuery, parseListCursor, type ServerQuery } from '@mcpinfra/core/plugin';
import { Conditions } from './conditions.js';
import { planned, prepared, type Statement } from './statement.js';

/** A statement with its values. */
export interface Asked {
  readonly statement: Statement;
  readonly values: readonly unknown[];
}

/** What instances are asked for, without the page. */
export type InstanceFilter = Omit<InstanceQuery, 'limit' | 'cursor'>;

/** Writes the query for a page of servers, and for one row more that tells whether there is another page. */
export function serverPage(schema: string, query: ServerQuery): Asked {
  const where = new Conditions();
  where.ask(query.tenant, (at) => `(r.tenant = ${at}::text or r.is_public)`);
  where.ask(query.name, (at) => `r.name = ${at}::text`);
  where.ask(query.version, (at) => `r.version = ${at}::text`);
  where.ask(query.status, (at) => `r.status = any(${at}::text[])`);
  where.ask(someTags(query), (at) => `r.tags @> ${at}::text[]`);
  where.ask(someLabels(query), (at) => `r.labels @> ${at}::jsonb`);
  after(where, query.cursor, 'r');
  const text = `select r.body from ${schema}.servers r
where ${where.sql} order by r.created_at, r.id limit ${where.place(query.limit + 1)}::bigint`;
  return { statement: statementFor(query, text), values: where.values };
}

/** Writes the query for a page of instances, and for one row more that tells whether there is another page. */
export function instancePage(schema: string, query: InstanceQuery): Asked {
  const where = new Conditions();
  const way = wayTo(schema, query, where);
  simpleConditions(query, where);
  after(where, query.cursor, way.ordered);
  const { ordered } = way;
  const limit = `limit ${where.place(query.limit + 1)}::bigint`;
  const rows = `select r.body, ${ordered}.created_at, ${ordered}.id from ${way.from}
where ${where.sql} order by ${ordered}.created_at, ${ordered}.id ${limit}`;
  const text =
    way.each === undefined
      ? rows
      : `select r.body from ${way.each} cross join lateral (\n${rows}\n) r order by r.created_at, r.id ${limit}`;
  return { statement: statementFor(query, text), values: where.values };
}

/** Writes the query for the number of instances. */
export function instanceCount(schema: string, query: InstanceFilter): Asked {
  const where = new Conditions();
  const { status, tenant, ...rest } = query;
  if (status !== undefined && Object.values(rest).every((value) => value === undefined)) {
    where.ask(status, (at) => `t.status = any(${at}::text[])`);
    where.ask(tenant, (at) => `t.tenant = ${at}::text`);
    const text = `select count(*) as count from ${schema}.instances_by_status t where ${where.sql}`;
    // Most have one status and few another: a plan for any would read them all.
    return { statement: planned(text), values: where.values };
  }
  where.ask(status, (at) => `r.status = any(${at}::text[])`);
  where.ask(someTags(query), (at) => `r.server_spec_id in (${serversWith(schema, at)})`);
  simpleConditions(query, where);
  const text = `select count(*) as count from ${schema}.instances r where ${where.sql}`;
  return { statement: statementFor(query, text), values: where.values };
}

/** How the rows of a page are reached. */
interface Way {
  /** The tables, with `r` for the instances. */
  readonly from: string;
  /** The table whose index gives the order. */
  readonly ordered: 'r' | 't';
  /** What the rows are read for one by one; a page of each is enough. */
  readonly each?: string | undefined;
}

/** Chooses the index that leaves least to read. A page then sorts no more rows than a page of each server or status. */
function wayTo(schema: string, query: InstanceFilter, where: Conditions): Way {
  const { status } = query;
  const tags = someTags(query);
  const from = `${schema}.instances r`;
  const one = query.slug !== undefined || (query.tenant !== undefined && query.name !== undefined);
  if (one || query.serverSpecId !== undefined) {
    where.ask(tags, (at) => `r.server_spec_id in (${serversWith(schema, at)})`);
    where.ask(status, (at) => `r.status = any(${at}::text[])`);
    return { from, ordered: 'r' };
  }
  if (tags !== undefined) {
    const servers = serversWith(schema, where.place(tags));
    where.require('r.server_spec_id = s.id');
    where.ask(status, (at) => `r.status = any(${at}::text[])`);
    return { from, ordered: 'r', each: `(${servers}) s` };
  }
  if (status === undefined) return { from, ordered: 'r' };
  const statuses = where.place([...new Set(status)]);
  where.require('t.status = s.status');
  where.ask(query.tenant, (at) => `t.tenant = ${at}::text`);
  return {
    from: `${schema}.instances_by_status t join ${schema}.instances r on r.id = t.id`,
    ordered: 't',
    each: `unnest(${statuses}::text[]) as s (status)`,
  };
}

function serversWith(schema: string, tags: string): string {
  return `select id from ${schema}.servers where tags @> ${tags}::text[]`;
}

function simpleConditions(query: InstanceFilter, where: Conditions): void {
  where.ask(query.tenant, (at) => `r.tenant = ${at}::text`);
  where.ask(query.name, (at) => `r.name = ${at}::text`);
  where.ask(query.slug, (at) => `r.slug = ${at}::text`);
  where.ask(query.desiredState, (at) => `r.desired_state = ${at}::text`);
  where.ask(query.type, (at) => `r.type = ${at}::text`);
  where.ask(query.serverSpecId, (at) => `r.server_spec_id = ${at}::text`);
  where.ask(someLabels(query), (at) => `r.labels @> ${at}::jsonb`);
}

function after(where: Conditions, cursor: string | undefined, table: string): void {
  if (cursor === undefined) return;
  const { createdAt, id } = parseListCursor(cursor);
  const place = `(${where.place(createdAt)}::timestamptz, ${where.place(id)}::text)`;
  where.require(`(${table}.created_at, ${table}.id) > ${place}`);
}

/** How many rows have a label or a tag depends on its value: those queries are planned for it. */
function statementFor(query: InstanceFilter | ServerQuery, text: string): Statement {
  return someLabels(query) === undefined && someTags(query) === undefined ? prepared(text) : planned(text);
}

function someTags({
  tags,
}: {
  readonly tags?: readonly string[] | undefined;
}): readonly string[] | undefined {
  return tags?.length === 0 ? undefined : tags;
}

function someLabels({
  labels,
}: {
  readonly labels?: Readonly<Record<string, string>> | undefined;
}): string | undefined {
  return labels === undefined || Object.keys(labels).length === 0 ? undefined : JSON.stringify(labels);
}
