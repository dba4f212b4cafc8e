/** How long a test waits for what must come, and how often it looks: `expect.poll(..., eventually)`. */
export const eventually = { timeout: 10_000, interval: 5 } as const;
