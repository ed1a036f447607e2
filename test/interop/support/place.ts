import { randomName, type InteropPlace } from './stage.js'

/** Redis as broker and backend, under a prefix of its own. */
export function redisPlace(server: string | undefined): InteropPlace | undefined {
  if (server === undefined) return undefined
  const options = { global_keyprefix: `${randomName('interop')}:` }
  return { broker: server, backend: server, brokerOptions: options, backendOptions: options }
}
