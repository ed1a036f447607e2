import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

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

/** The folder of a place `file:line:column`; the working folder when there is none (a REPL, `-e`). */
export function callerFolder(place: string | undefined): string {
  if (place === undefined) return process.cwd()
  const file = place.replace(/:\d+:\d+$/, '').replace(/\?.*$/, '')
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) ? dirname(path) : process.cwd()
}
