// Imports the module its argument names and prints how many milliseconds that took.

const [, , url = ''] = process.argv;
const startedMs = performance.now();
await import(url);
console.log(performance.now() - startedMs);
