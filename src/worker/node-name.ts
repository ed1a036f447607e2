import { hostname } from 'node:os'

/** Parts that a node name can name. */
export interface NodeNameParts {
  /** Full name of this machine. */
  readonly host: string
}

/**
 * A worker's name, `name@host`, from what `-n` was given.
 *
 * `%h` is the full host name, `%n` its first part, `%d` the rest, `%%` a percent sign; a name without `@` gets the
 * host appended. Without a pattern: `celery@%h`, as Celery names its workers.
 *
 * @source Celery 5.7, `celery/utils/nodenames.py`, `host_format` and `default_nodename`.
 */
export function nodeName(pattern?: string, parts: NodeNameParts = { host: hostname() }): string {
  const { host } = parts
  const dot = host.indexOf('.')
  const name = dot < 0 ? host : host.slice(0, dot)
  const domain = dot < 0 ? '' : host.slice(dot + 1)
  const values: Readonly<Record<string, string>> = { h: host, n: name, d: domain, '%': '%' }
  const text = (pattern === undefined || pattern === '' ? 'celery@%h' : pattern).replace(
    /%([hnd%])/g,
    (whole, letter: string) => values[letter] ?? whole,
  )
  return text.includes('@') ? text : `${text}@${host}`
}
