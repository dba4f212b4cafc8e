// A publication for all tables refuses updates of a table without a primary key.
// What a group gave up is kept whole and refers to nothing: the retention leaves it alone.
export const groupsAndKeys = `
alter table events add constraint events_id primary key (id);

create table dead_letters (
  name text collate "C" not null,
  position bigint not null,
  body json not null,
  primary key (name, position)
);
`;
