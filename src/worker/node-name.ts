import { hostname } from 'node:os'

/** Parts that a node name can name. */
export interface NodeNameParts {
  /** Full name of this machine. */
  readonly host: string
}

/**
 * A worker's name, `name@host`, from what `-n` was given.
 *
 * `%h` is the full host name, `%n` its first part, `%d` the rest, `%%` a percent sign; `%i` is `0` and `%I` nothing, as in
 * the main process of Celery. What has no `@` is the host: `worker1` makes `celery@worker1`, as in Celery. Without a pattern:
 * `celery@%h`.
 *
 * @source Celery 5.7, `celery/utils/nodenames.py`, `host_format` and `default_nodename`.
 */
export function nodeName(pattern?: string, parts: NodeNameParts = { host: hostname() }): string {
  const { host } = parts
  const dot = host.indexOf('.')
  const name = dot < 0 ? host : host.slice(0, dot)
  const domain = dot < 0 ? '' : host.slice(dot + 1)
  const values: Readonly<Record<string, string>> = { h: host, n: name, d: domain, i: '0', I: '', '%': '%' }
  return withBothParts(pattern ?? '').replace(
    /%([hndiI%])/g,
    (whole, letter: string) => values[letter] ?? whole,
  )
}

/** @source Celery 5.7, `celery/utils/nodenames.py`, `default_nodename`. */
function withBothParts(pattern: string): string {
  const at = pattern.indexOf('@')
  const name = pattern.slice(0, Math.max(0, at))
  const host = pattern.slice(at + 1)
  return `${name === '' ? 'celery' : name}@${host === '' ? '%h' : host}`
}
