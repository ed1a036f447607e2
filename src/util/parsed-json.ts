/** The value of a JSON text that somebody else wrote; `undefined` for what is none, as one text must not keep others from being read. */
export function parsedJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}
