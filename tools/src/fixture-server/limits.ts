/** The largest message taken, far above the SDK's own limits so that tests of large bodies meet the gateway's limit first. */
export const maxMessageBytes = 256 << 20;
