const OWN_FOLDER = new URL('..', import.meta.url).href
const OWN_PATH = new URL('..', import.meta.url).pathname

/** `file:line:column` of the first caller outside of this package's own source; `undefined` in a REPL. */
export function callerPlace(): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder)
  const lines = (holder.stack ?? '').split('\n').slice(1)
  const outside = lines.find(
    (line) => isPlace(line) && !line.includes(OWN_FOLDER) && !line.includes(OWN_PATH),
  )
  return outside?.replace(/^\s*at (?:.*\()?/, '').replace(/\)$/, '')
}

function isPlace(line: string): boolean {
  return /:\d+:\d+\)?$/.test(line) && !line.includes('node:')
}
