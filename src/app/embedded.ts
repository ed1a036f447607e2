import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** URL of the embedded default: `.lovage/queue.sqlite` beside the nearest `package.json` above this folder. */
export function embeddedUrl(startFolder: string): string {
  const path = join(packageFolder(startFolder), '.lovage', 'queue.sqlite')
  // What would end the path of a URL, or be read as an escape.
  return `sqlite:///${path.replace(/[%?#]/g, encodeURIComponent)}`
}

function packageFolder(startFolder: string): string {
  let folder = startFolder
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) return process.cwd()
    folder = parent
  }
  return folder
}
