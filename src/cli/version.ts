import { readFileSync } from 'node:fs'

import { isRecord } from '../util/record.js'

/** The version of this package, from its own manifest. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  )
  return isRecord(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : 'unknown'
}
