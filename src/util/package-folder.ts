import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the package that a folder belongs to, by its `package.json`; `undefined` outside of packages. */
export function packageFolder(folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    if (existsSync(join(above, 'package.json'))) return above
    if (dirname(above) === above) return undefined
  }
}

/** Path of the embedded default: `.lovage/queue.sqlite` beside the nearest `package.json` above `start`, else in `otherwise`. */
export function embeddedPath(start: string, otherwise: string = start): string {
  return join(packageFolder(start) ?? otherwise, '.lovage', 'queue.sqlite')
}
