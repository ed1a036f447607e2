import { describe, expect, it } from '@jest/globals'
import { MongoBulkWriteError, MongoNetworkError, MongoServerError, type BulkWriteResult } from 'mongodb'
import { asBackend, asBroker } from '../../../../brokers/mongodb/failure.js'
import {
  BackendConnectionError,
  BackendError,
  BrokerConnectionError,
  BrokerError,
} from '../../../../src/errors/errors.js'

/** As Node reports a socket that breaks during a write. */
const broken = Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET', syscall: 'write' })

/** The driver wraps what breaks a bulk write as if the server had said it. */
const bulk = (error: ConstructorParameters<typeof MongoBulkWriteError>[0]): MongoBulkWriteError =>
  new MongoBulkWriteError(error, {} as BulkWriteResult)

const deposed = new MongoServerError({ message: 'not primary', code: 10_107 })
const duplicate = { message: 'duplicate key', code: 11_000, writeErrors: [] }

describe('what the driver of MongoDB throws', () => {
  it.each([
    ['a broken socket', broken, BrokerConnectionError, BackendConnectionError],
    ['a lost connection', new MongoNetworkError('closed'), BrokerConnectionError, BackendConnectionError],
    ['a lost bulk', bulk(new MongoNetworkError('gone')), BrokerConnectionError, BackendConnectionError],
    ['a bulk on a former primary', bulk(deposed), BrokerConnectionError, BackendConnectionError],
    ['a refused bulk', bulk(duplicate), BrokerError, BackendError],
    ['a refusal', new MongoServerError({ message: 'no', code: 13 }), BrokerError, BackendError],
  ])('%s is an error of ours', async (_what, thrown, ofBroker, ofBackend) => {
    const seen = [asBroker, asBackend].map((as) =>
      as(() => Promise.reject(thrown)).catch((error: unknown) =>
        error instanceof Error ? error.constructor : error,
      ),
    )

    expect(await Promise.all(seen)).toEqual([ofBroker, ofBackend])
  })

  it('passes on what is a mistake of the program', async () => {
    const mistake = new TypeError('not a function')

    await expect(asBroker(() => Promise.reject(mistake))).rejects.toBe(mistake)
  })
})
