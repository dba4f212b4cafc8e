const MiB = 1024 * 1024;

/**
 * What a server can make a host keep or do, at most. Each limit has a code or a counter, named in its line; the README of
 * the package lists them for people.
 */
export const limits = {
  /** One message: a line of stdio, a body, or an event of a stream, after decompression. `MESSAGE_TOO_LARGE` */
  messageBytes: 64 * MiB,
  /** The same while no client asks anything, only we whether the server lives and what tools it has: read in one go. `MESSAGE_TOO_LARGE` */
  ownAnswerBytes: 4 * MiB,
  /** What waits to be read by a server over stdio; who sends more is refused. `SERVER_NOT_READING` */
  outgoingBytes: 16 * MiB,
  /** Answers to a server's own requests that wait to be read by it, in bytes; beyond them it is not read either. */
  outgoingAnswerBytes: 16 * 1024,
  /** A server that takes none of those answers for so long loses its connection. `SERVER_NOT_READING` */
  notReadingMs: 10_000,
  /** What nobody asked for, in messages per second; beyond it a server is read more slowly. */
  unaskedPerSecond: 1_000,
  /** So many bytes of what nobody asked for count as one message more. */
  unaskedMessageBytes: 4 * 1024,
  /** What a stream over HTTP may bring at once beyond its rate, in bytes and per second. */
  streamBytes: 64 * MiB,
  streamBytesPerSecond: 4 * MiB,
  /** Answers to a server's own requests that are on their way over HTTP; more are dropped. */
  answersInFlight: 64,
  /** The first try to open a stream again, and the longest pause between two, whatever `retry` says. */
  reconnectMs: 1_000,
  reconnectLongestMs: 60_000,
  /** Messages of one batch; a longer one is no message. */
  batchMessages: 1_000,
  /** The id of a server's own request, in characters; a longer one is not answered. */
  idLength: 256,
  /** Pages of a list of tools. The health of the instance says what was left out. */
  toolPages: 64,
  /** Tools that are kept of a list, and their size as JSON. The health of the instance says what was left out. */
  tools: 1_000,
  toolBytes: MiB,
  /** A name or a version that a server gives itself, in characters; the rest is cut off. */
  nameLength: 200,
  /** What an error shows of a server's words, in characters; the rest is cut off. */
  shownLength: 2_000,
} as const;
