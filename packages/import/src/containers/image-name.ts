/** Tells whether a text can name an image, as the documents of containers take it. */
export function isImageName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$/u.test(text);
}
