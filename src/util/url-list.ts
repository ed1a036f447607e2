/** The URLs of a text that lists several, as kombu writes them; a semicolon inside of a password splits nothing. */
export function splitUrls(text: string): readonly string[] {
  return text
    .split(/;(?=\s*(?:[a-z][a-z0-9+.-]*:\/\/|[a-z][a-z0-9+.-]*\s*(?:;|$)|\s*$))/i)
    .map((url) => url.trim())
    .filter((url) => url !== '')
}
