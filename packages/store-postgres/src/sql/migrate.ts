import { mcpError, type CallOptions } from '@mcpinfra/core/plugin';
import type { Connection, Row, Session } from '../database/database.js';
import { checksumOf, isCompatible, migrations, type Migration } from './migrations.js';
import { planned, quoted } from './statement.js';

/**
 * Brings a schema up to date. Several processes may do so at once: one does the work, the others wait for it.
 *
 * A schema that is up to date needs no right to create anything. One that a newer version has brought further is taken
 * as it is while its steps say that this version may work with it, so that both run side by side during an upgrade.
 *
 * @throws `STORE_VERSION` for a schema that another version of the library wrote and this one does not fit
 */
export async function migrate(connection: Connection, schema: string, options?: CallOptions): Promise<void> {
  const there = await connection.query(
    planned('select to_regclass($1) is not null as found'),
    [`${quoted(schema)}.migrations`],
    options,
  );
  if (there[0]?.['found'] === 't') {
    const applied = await connection.query(appliedIn(schema), [], options);
    if (missing(schema, applied).length === 0) return;
  }
  await connection.transaction((session) => apply(session, schema), options);
}

async function apply(session: Session, schema: string): Promise<void> {
  await session.query(planned('select pg_advisory_xact_lock(hashtextextended($1, 0))'), [
    `mcpinfra:${schema}`,
  ]);
  const [found] = await session.query(planned('select to_regnamespace($1) is not null as found'), [
    quoted(schema),
  ]);
  // "if not exists" asks for the right to create one also where there is one.
  if (found?.['found'] !== 't') await session.script(`create schema ${quoted(schema)}`);
  await session.script(`
    create table if not exists ${quoted(schema)}.migrations (
      version integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    );
    alter table ${quoted(schema)}.migrations add column if not exists compatible_since integer;
    set local search_path to ${quoted(schema)};
  `);
  const applied = await session.query(appliedIn(schema), []);
  for (const migration of missing(schema, applied)) {
    await session.script(migration.sql);
    const { version, name, compatibleSince } = migration;
    await session.query(
      planned('insert into migrations (version, name, checksum, compatible_since) values ($1, $2, $3, $4)'),
      [version, name, checksumOf(migration), compatibleSince],
    );
  }
}

function appliedIn(schema: string): ReturnType<typeof planned> {
  // By way of JSON, since a schema that nobody has brought further yet does not have the column.
  return planned(
    `select version, checksum, to_jsonb(m) ->> 'compatible_since' as compatible_since
     from ${quoted(schema)}.migrations m order by version`,
  );
}

function missing(schema: string, applied: readonly Row[]): readonly Migration[] {
  for (const row of applied) {
    const version = Number(row['version']);
    const known = migrations.find((migration) => migration.version === version);
    if (known !== undefined && checksumOf(known) === row['checksum']) continue;
    if (known === undefined && isCompatible(row['compatible_since'], migrations.length)) continue;
    const what = known === undefined ? 'a newer version' : 'another build';
    throw mcpError(
      'STORE_VERSION',
      `The schema "${schema}" has step ${version} of ${what} of the library; this one knows steps up to ` +
        `${migrations.length}. Upgrade this process, or give the store another schema.`,
      { details: { schema, version, supported: migrations.length } },
    );
  }
  return migrations.filter(({ version }) => !applied.some((row) => Number(row['version']) === version));
}
