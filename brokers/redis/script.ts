import { createHash } from 'node:crypto'

/** A Lua script with the name under which the server remembers it. */
export interface Script {
  readonly source: string
  readonly sha: string
}

/** A script to run by {@link RedisConnection.run}. */
export function toScript(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}
