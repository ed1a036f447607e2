import { EventEmitter } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import { listenOn } from '../../../../brokers/sql/server/listen.js'
import { a, b, stubPool } from './stub-pool.js'

/** A connection of `pg` in whose place nothing answers but this. */
class StubClient extends EventEmitter {
  readonly host: string
  readonly port: number
  readonly #isStandby: boolean
  isEnded = false

  constructor({ host, port }: typeof a, isStandby: boolean) {
    super()
    this.host = host
    this.port = port
    this.#isStandby = isStandby
  }

  async end(): Promise<void> {
    this.isEnded = true
    return Promise.resolve()
  }

  async query(): Promise<unknown> {
    const refusal = Object.assign(new TypeError('read only'), { code: '25006' })
    return this.#isStandby ? Promise.reject(refusal) : Promise.resolve({})
  }
}

describe('a listener whose first server is a standby', () => {
  it('closes that connection, listens at the other server, and minds the end of that one alone', async () => {
    const [standby, primary, third] = [
      new StubClient(a, true),
      new StubClient(b, false),
      new StubClient(b, false),
    ]
    const clients = [standby, primary, third]
    const { pool, ring } = stubPool(() => Promise.resolve(clients.shift() ?? {}))
    let listening: () => void = () => undefined
    const begun = (): Promise<void> =>
      new Promise((resolve) => {
        listening = resolve
      })

    const first = begun()
    const stop = listenOn(
      pool,
      'channel',
    )(() => {
      listening()
    })
    await first
    expect(ring.current).toEqual(b)
    expect([standby, primary, third].map(({ isEnded }) => isEnded)).toEqual([true, false, false])

    standby.emit('end')
    const again = begun()
    primary.emit('end')
    await again
    expect(clients).toEqual([])
    stop()
    expect([standby, primary, third].map(({ isEnded }) => isEnded)).toEqual([true, false, true])
  })
})
