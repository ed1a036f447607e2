import { hostname } from 'node:os'

let cached: string | undefined

/** Who sends: `gen<pid>@<host>`, as in the header `origin` of Celery's clients. Computed once. */
export function processOrigin(): string {
  cached ??= `gen${process.pid}@${hostname()}`
  return cached
}
