/** The value of a column that holds JSON; `undefined` for what is none, as one row must not keep all others from being read. */
export function parsedJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}
