import { ConfigError } from '../errors/errors.js'
import { maskUrls } from '../util/mask-url.js'

const SENTINEL = /^sentinel:\/\/(?:(.*)@)?([^@/?]*)(\/[^?]*)?(?:\?(.*))?$/i

/**
 * URLs with those of sentinels joined into one: they are not servers of their own, but name the same ones together.
 *
 * @throws {@link ConfigError} for sentinels that differ in account or database.
 * @source Celery 5.7, `celery/backends/redis.py`, `SentinelBackend._params_from_url`.
 */
export function withJoinedSentinels(urls: readonly string[]): readonly string[] {
  const parts = urls.map((url) => SENTINEL.exec(url))
  const sentinels = parts.filter((part) => part !== null)
  if (sentinels.length < 2) return urls
  const only = (at: number): string | undefined => {
    const values = new Set(
      sentinels.map((part) => part[at] ?? '').filter((value) => value !== '' && value !== '/'),
    )
    if (values.size > 1)
      throw new ConfigError(
        `the sentinels of one list have to be given the same account and database: ${maskUrls(urls.join(';'))}`,
      )
    return [...values][0]
  }
  const account = only(1)
  const hosts = sentinels.map(([, , host = '']) => host).filter((host) => host !== '')
  const query = sentinels.flatMap(([, , , , words]) => words ?? []).join('&')
  const joined =
    `sentinel://${account === undefined ? '' : `${account}@`}${hosts.join(',')}${only(3) ?? '/'}` +
    (query === '' ? '' : `?${query}`)
  const first = parts.findIndex((part) => part !== null)
  return urls.flatMap((url, index) => (parts[index] === null ? [url] : index === first ? [joined] : []))
}
