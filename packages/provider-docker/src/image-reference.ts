/** Writes the name of an image with its tag: an engine asked for an image without one fetches every tag. */
export function withTag(image: string): string {
  const name = image.slice(image.lastIndexOf('/') + 1);
  return name.includes(':') || image.includes('@') ? image : `${image}:latest`;
}

/** The registry an image comes from. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && /[.:]|^localhost$/u.test(first) ? first : 'https://index.docker.io/v1/';
}
