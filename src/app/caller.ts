/** `file:line:column` of the first caller outside of this package's own source; `undefined` in a REPL. */
export function callerPlace(): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder)
  const places = (holder.stack ?? '').split('\n').flatMap(toPlace)
  // The first frame is this function: its path shows the own folder as stacks print it, source maps or not.
  const ownFolder = places[0]?.replace(/app[\\/]caller\.[^\\/]*$/, '')
  return places.find((place) => ownFolder === undefined || !place.startsWith(ownFolder))
}

function toPlace(line: string): readonly string[] {
  const place = /^\s*at (?:.*\()?(.*:\d+:\d+)\)?$/.exec(line)?.[1]
  return place === undefined || place.startsWith('node:') ? [] : [place]
}
