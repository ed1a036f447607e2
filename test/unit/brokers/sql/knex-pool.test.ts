import { describe, expect, it } from '@jest/globals'
import { a, b, stubPool } from './stub-pool.js'

describe('connections to a server and its standby', () => {
  it('are left by where they lead, not by when they were asked for', async () => {
    const [toA, toB] = [{ ...a }, { config: { ...b } }]
    let give: (connection: object) => void = () => undefined
    const later = new Promise<object>((resolve) => {
      give = resolve
    })
    const connections = [Promise.resolve(toA), later]
    const { pool, ring } = stubPool(() => connections.shift() ?? Promise.reject(new RangeError()))
    const first = await pool.acquire()
    const waiting = pool.acquire()
    pool.forsake(first)
    give(toB)
    const second = await waiting

    pool.forsake(first)
    expect(ring.current).toEqual(b)
    pool.forsake(second)
    expect(ring.current).toEqual(a)
  })

  it('are thrown away when they come idle from the server that was left', async () => {
    const [toA, idle, toB] = [{ ...a }, { ...a }, { ...b }]
    const connections = [toA, idle, toB]
    const { pool, thrownAway } = stubPool(() => Promise.resolve(connections.shift() ?? {}))
    pool.forsake(await pool.acquire())

    expect(await pool.acquire()).toBe(toB)
    expect(thrownAway).toEqual([idle])
  })

  it('do not change servers because all are in use', async () => {
    const errors = [
      Object.assign(new TypeError('full'), { name: 'KnexTimeoutError' }),
      new TypeError('refused'),
    ]
    const { pool, ring } = stubPool(() => Promise.reject(errors.shift() ?? new RangeError()))

    await expect(pool.acquire()).rejects.toThrow('full')
    expect(ring.current).toEqual(a)
    await expect(pool.acquire()).rejects.toThrow('refused')
    expect(ring.current).toEqual(b)
  })
})
