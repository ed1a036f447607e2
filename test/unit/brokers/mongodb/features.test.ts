import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { MongoServerError } from 'mongodb'
import { findFeatures, proveChanges, type Asked } from '../../../../brokers/mongodb/features.js'

const set = { setName: 'rs', logicalSessionTimeoutMinutes: 30 }

/** A server that greets so, by this name of the command. */
function greeting(reply: object, name = 'hello'): Asked {
  return {
    command: (asked) =>
      name in asked
        ? Promise.resolve(reply)
        : Promise.reject(new MongoServerError({ message: 'no such command', code: 59 })),
  }
}

describe('what a MongoDB server lacks', () => {
  const warnings: string[] = []

  beforeEach(() => {
    warnings.length = 0
    jest.spyOn(process, 'emitWarning').mockImplementation((warning) => {
      warnings.push(String(warning))
    })
  })

  afterEach(() => {
    jest.restoreAllMocks()
  })

  it('is nothing on a replica set', async () => {
    expect(await findFeatures(greeting(set), { wake: 'auto', label: 'a set' })).toEqual({
      changes: true,
      transactions: true,
      capped: true,
      ttl: true,
      hello: 'hello',
    })
    expect(warnings).toEqual([])
  })

  it('is not guessed where the server refuses to answer', async () => {
    const refusing: Asked = {
      command: () => Promise.reject(new MongoServerError({ message: 'not authorized', code: 13 })),
    }

    await expect(findFeatures(refusing, { wake: 'auto', label: 'a set' })).rejects.toThrow('not authorized')
  })

  it('is an error where changes are asked for by hand', async () => {
    const closed: string[] = []
    const collection = {
      watch: () => ({
        tryNext: () => Promise.reject(new MongoServerError({ message: 'no change streams', code: 40573 })),
        close: async () => void closed.push('closed'),
      }),
    } as unknown as Parameters<typeof proveChanges>[0]

    await proveChanges(collection, { wake: 'auto' })
    await expect(proveChanges(collection, { wake: 'changes' })).rejects.toThrow('no change streams')
    expect(closed).toEqual(['closed'])
  })

  it('is nothing behind mongos', async () => {
    const mongos = greeting({ msg: 'isdbgrid', logicalSessionTimeoutMinutes: 30 })

    expect(await findFeatures(mongos, { wake: 'auto', label: 'mongos' })).toMatchObject({
      changes: true,
      transactions: true,
    })
  })

  it('is named once for each server: a lone mongod has neither transactions nor change streams', async () => {
    const alone = greeting({ logicalSessionTimeoutMinutes: 30 })
    for (let time = 0; time < 2; time += 1) {
      expect(await findFeatures(alone, { wake: 'auto', label: 'alone' })).toMatchObject({
        changes: false,
        transactions: false,
        capped: true,
        ttl: true,
      })
    }

    expect(warnings).toEqual([
      'alone has no transactions (a task is settled in steps: follow-ups, result, message), ' +
        'no change streams (it is polled)',
    ])
  })

  it('is most of it where the greeting is known by its old name only', async () => {
    const other = greeting({}, 'isMaster')

    expect(await findFeatures(other, { wake: 'auto', label: 'other' })).toEqual({
      changes: false,
      transactions: false,
      capped: false,
      ttl: false,
      hello: 'isMaster',
    })
    expect(warnings.join()).toContain('no TTL indexes (what has expired is swept)')
  })

  it('is overruled by the option wake', async () => {
    const alone = greeting({})

    expect(await findFeatures(alone, { wake: 'changes', label: 'streams' })).toMatchObject({ changes: true })
    expect(await findFeatures(greeting(set), { wake: 'poll', label: 'polls' })).toMatchObject({
      changes: false,
    })
  })

  it('is not guessed when the server cannot be asked', async () => {
    const broken: Asked = { command: () => Promise.reject(new TypeError('the wire is cut')) }

    await expect(findFeatures(broken, { wake: 'auto', label: 'broken' })).rejects.toThrow('the wire is cut')
  })
})
