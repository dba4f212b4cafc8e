//#region ending
for (const line of ['one', 'two', process.env.CONFORMANCE_SECRET]) console.error(line);
process.exitCode = 3;
//#endregion
