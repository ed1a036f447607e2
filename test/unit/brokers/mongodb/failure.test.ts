import { describe, expect, it } from '@jest/globals'
import { MongoBulkWriteError, MongoNetworkError, MongoServerError, type BulkWriteResult } from 'mongodb'
import { asBackend, asBroker } from '../../../../brokers/mongodb/failure.js'
import {
  BackendConnectionError,
  BackendError,
  BrokerConnectionError,
  BrokerError,
} from '../../../../src/errors/errors.js'

const result = {} as BulkWriteResult
const refused = { message: 'duplicate key', code: 11_000, writeErrors: [] }

describe('what the driver of MongoDB throws', () => {
  it.each([
    ['a lost connection', new MongoNetworkError('connection 10 closed')],
    ['a bulk write whose connection was lost', bulk(new MongoNetworkError('connection 10 closed'))],
    [
      'a bulk write on a former primary',
      bulk(new MongoServerError({ message: 'not primary', code: 10_107 })),
    ],
    ['an operation on a client that connects anew', named('MongoClientClosedError')],
  ])('may be tried again: %s', async (_what, error) => {
    await expect(asBroker(() => Promise.reject(error))).rejects.toBeInstanceOf(BrokerConnectionError)
    await expect(asBackend(() => Promise.reject(error))).rejects.toBeInstanceOf(BackendConnectionError)
  })

  it.each([
    ['a refused command', new MongoServerError({ message: 'not authorized', code: 13 })],
    ['a refused bulk write', bulk(refused)],
  ])('is final: %s', async (_what, error) => {
    const failures = [asBroker, asBackend].map((as) => as(() => Promise.reject(error)))
    const [broker, backend] = await Promise.allSettled(failures)
    expect(broker).toMatchObject({ reason: expect.any(BrokerError) })
    expect(broker).not.toMatchObject({ reason: expect.any(BrokerConnectionError) })
    expect(backend).toMatchObject({ reason: expect.any(BackendError) })
    expect(backend).not.toMatchObject({ reason: expect.any(BackendConnectionError) })
  })
})

function bulk(error: ConstructorParameters<typeof MongoBulkWriteError>[0]): MongoBulkWriteError {
  return new MongoBulkWriteError(error, result)
}

function named(name: string): Error {
  return Object.defineProperty(new MongoServerError({ message: 'closed' }), 'name', { value: name })
}
