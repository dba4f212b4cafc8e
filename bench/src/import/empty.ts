// The floor of importing anything.
export {};
