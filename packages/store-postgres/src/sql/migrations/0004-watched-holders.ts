// The holder that showed, when it last took or prolonged the lease, that it lives: by a lock which ends with its connection.
// An earlier version knows nothing of it and writes another holder beside it, which is then not watched.
export const watchedHolders = `
alter table leases add column watched_holder text collate "C";
`;
