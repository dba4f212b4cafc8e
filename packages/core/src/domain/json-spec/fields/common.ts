import * as z from 'zod';

const day = 86_400;

/** A time in seconds that is longer than nothing. */
export const seconds = z
  .number({ error: `Expected a number of seconds above 0 and up to ${day}` })
  .positive()
  .max(day);

/** A time in seconds that may be nothing. */
export const secondsOrNone = z
  .number({ error: `Expected a number of seconds from 0 to ${day}` })
  .nonnegative()
  .max(day);

/** Text that says something. */
export const someText = z.string({ error: 'Expected text that is not empty' }).min(1).max(4_096);

/** The URL of an HTTP server, without credentials in it. */
export const httpUrl = z
  .string({ error: 'Expected an absolute URL that begins with https:// or http://' })
  .max(4_096)
  .refine(isHttpUrl)
  .refine((url) => !hasUserInfo(url), {
    error: 'The URL holds a user name or password. Remove them and use the field authentication.',
    params: { code: 'secret_in_clear' },
  });

function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^\s\\]+$/iu.test(text) && URL.canParse(text);
}

function hasUserInfo(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}
