import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../backends/memory/index.js'
import { guardBackend } from '../../../src/backend/guard.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { BackendConnectionError, BackendError } from '../../../src/errors/errors.js'
import { jsonCodec } from '../../conformance/index.js'

const never = new AbortController().signal

function memory(): ReturnType<typeof createBackend> {
  return createBackend(parseConnectionUrl('memory://guard'), { codec: jsonCodec })
}

describe('guardBackend', () => {
  it('refuses a use before connect and after close', async () => {
    const backend = guardBackend(memory())

    await expect(backend.load(['a'])).rejects.toThrow('result backend "memory" is not connected')
    await backend.connect(never)
    await backend.load(['a'])
    await backend.close()

    await expect(backend.load(['a'])).rejects.toThrow('result backend "memory" is closed')
    await expect(backend.watch?.(['a'], () => undefined)).rejects.toBeInstanceOf(BackendError)
  })

  it('turns what a driver throws into an error of ours', async () => {
    const cause = new RangeError('no')
    const inner = memory()
    inner.load = () => Promise.reject(cause)
    const backend = guardBackend(inner)
    await backend.connect(never)

    await expect(backend.load(['a'])).rejects.toMatchObject({
      code: 'LOVAGE_BACKEND',
      message: 'load failed: no',
      cause,
    })
  })

  it('keeps typed errors as they are', async () => {
    const lost = new BackendConnectionError('gone')
    const inner = memory()
    inner.load = () => Promise.reject(lost)
    const backend = guardBackend(inner)
    await backend.connect(never)

    await expect(backend.load(['a'])).rejects.toBe(lost)
  })

  it('ends what a driver does not answer, groups and chords too', async () => {
    const hang = (): Promise<never> => new Promise(() => undefined)
    const inner = Object.assign(memory(), {
      load: hang,
      groups: { save: hang, load: hang, forget: hang },
      chords: { open: hang, arrive: hang, collect: hang, discard: hang },
    })
    const backend = guardBackend(inner, { answerTimeoutMs: 20 })

    await expect(backend.groups?.load('g')).rejects.toThrow('is not connected')
    await backend.connect(never)

    await expect(backend.load(['a'])).rejects.toBeInstanceOf(BackendConnectionError)
    await expect(backend.groups?.load('g')).rejects.toBeInstanceOf(BackendConnectionError)
    await expect(backend.chords?.collect('c')).rejects.toThrow(
      'collecting a chord: "memory" did not answer within 20 ms',
    )
  })

  it('asks nothing of the driver for an empty list', async () => {
    const inner = memory()
    inner.load = () => Promise.reject(new RangeError('asked'))
    const backend = guardBackend(inner)
    await backend.connect(never)

    expect((await backend.load([])).size).toBe(0)
  })

  it('guards once, and hands on what a broker of the same store writes by', () => {
    const inner = memory()
    const backend = guardBackend(inner)

    expect(guardBackend(backend)).toBe(backend)
    expect(backend.oneStep).toBe(inner.oneStep)
    expect(backend.oneStep).toMatchObject({ storeId: expect.any(String), writer: inner })
  })
})
