/** Loads what speaking to servers needs, so that importing the package need not and no first start or call waits for it. */
export async function loadTransports(): Promise<void> {
  await Promise.all([import('./http/over-http.js'), import('./stdio/over-stdio.js')]);
}
