import type { WorkerBanner } from '../worker/banner.js'
import type { Paint } from './io.js'
import { packageVersion } from './version.js'

/** What the banner says beside the worker's own facts. */
export interface BannerContext {
  /** The app's module as the user knows it. */
  readonly place: string | undefined
  /** No broker was named: the embedded file is used. */
  readonly isEmbedded: boolean
  readonly paint: Paint
}

/** The banner of a worker as text, one fact a line. */
export function bannerText(banner: WorkerBanner, context: BannerContext): string {
  const { place, isEmbedded, paint } = context
  const { version, platform, arch } = process
  const title = `${paint('bold', banner.hostname)}  lovage ${packageVersion()}, Node ${version}, ${platform} ${arch}`
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['app', [place === undefined ? banner.app : `${banner.app} (${place})`]],
    ['transport', [shownStore(banner.transport, isEmbedded)]],
    ['results', [shownStore(banner.results, isEmbedded)]],
    ['concurrency', [`${banner.concurrency} (${banner.pool})`]],
    ['queues', [banner.queues.map(({ name }) => name).join(', ')]],
    ['tasks', banner.tasks.length === 0 ? ['none'] : banner.tasks],
  ]
  const lines = rows.flatMap(([name, values]) =>
    values.map((value, index) => `  ${paint('cyan', (index === 0 ? `${name}:` : '').padEnd(14))}${value}`),
  )
  return `\n${title}\n\n${lines.join('\n')}\n\n`
}

/** The embedded default is a file that somebody may look for, rather than a URL that somebody wrote. */
function shownStore(url: string, isEmbedded: boolean): string {
  const path = /^sqlite:\/\/\/(.+)$/.exec(url)?.[1]
  return isEmbedded && path !== undefined ? `embedded file ${path}` : url
}
