import { writeFile } from 'node:fs/promises'

import { describe, expect, it } from '@jest/globals'

import type { ResultBackend, TaskRecord } from '../../../src/backend/contract.js'
import { ConfigError, Lovage } from '../../../src/index.js'
import { tempFolder } from '../../support/temp.js'
import { Stage } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

/** Keeps records in a map that the test can look into. */
function mapBackend(records: Map<string, TaskRecord>): ResultBackend {
  return {
    name: 'map',
    shared: false,
    connect: () => Promise.resolve(),
    store: (stored) => {
      for (const record of stored) records.set(record.taskId, record)
      return Promise.resolve()
    },
    load: (ids) => Promise.resolve(new Map([...records].filter(([id]) => ids.includes(id)))),
    forget: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

describe('overrideBackends', () => {
  it('puts a store of the user in the place of a built-in one, by scheme', async () => {
    const records = new Map<string, TaskRecord>()
    const urls: (string | undefined)[] = []
    const create = (url: { readonly scheme: string }): ResultBackend => {
      urls.push(url.scheme)
      return mapBackend(records)
    }
    await using stage = await Stage.open('memory', {
      backend: 'db+mine://here',
      overrideBackends: { db: create },
    })
    const add = stage.app.task('shop.add', (x: number, y: number) => x + y)
    await stage.work()

    const result = await add.delay(1, 2)

    expect(await result.get(5)).toBe(3)
    expect(records.get(result.id)).toMatchObject({ state: 'SUCCESS', result: 3 })
    expect(urls).toEqual(['db+mine'])
  })

  it('takes the path of a module, with the name of its export', async () => {
    await using folder = await tempFolder('override')
    const file = folder.file('my-backend.mjs')
    await writeFile(
      file,
      'export const make = () => ({ name: "mine", connect: async () => {}, close: async () => {} })',
    )
    await using app = new Lovage('shop', {
      broker: 'memory://',
      backend: 'mine://',
      overrideBackends: { mine: `${file}:make` },
    })

    expect((await internalsOf(app).resultBackend()).name).toBe('mine')
  })

  it.each([
    ['a number', 7],
    ['a module that does not exist', './no/such/module.js'],
  ])('refuses %s by name', async (_what, setting) => {
    await using app = new Lovage('shop', {
      broker: 'memory://',
      backend: 'mine://',
      overrideBackends: { mine: setting },
    })

    await expect(internalsOf(app).resultBackend()).rejects.toThrow(ConfigError)
  })
})

describe('resultCompression', () => {
  it('stores results as they are where the format has no place for it, and says so', async () => {
    await using stage = await Stage.open('sqlite', { resultCompression: 'gzip' })
    const add = stage.app.task('shop.add', (x: number, y: number) => x + y)
    await stage.work()

    expect(await (await add.delay(1, 2)).get(5)).toBe(3)
    expect(stage.log.lines.map(({ message }) => message)).toContain(
      'resultCompression has no effect: the backend "sqlite" keeps results as they are',
    )
  })

  it('hands a store that can hold it what Celery writes: mark, name, bytes', async () => {
    let compress: ((data: Uint8Array) => Uint8Array) | undefined
    await using app = new Lovage('shop', {
      broker: 'memory://',
      backend: 'mine://',
      resultCompression: 'zlib',
      overrideBackends: {
        mine: (_url: unknown, options: { compress?: typeof compress }) => {
          compress = options.compress
          return { ...mapBackend(new Map()), compresses: true }
        },
      },
    })
    await internalsOf(app).resultBackend()

    const written = Buffer.from(compress?.(Buffer.from('15')) ?? '')

    expect(written.subarray(0, 38).toString('latin1')).toMatch(/^\0celery-compressed\0application\/x-gzip\0/)
    expect(
      internalsOf(app).codecs.compressors.decompress('zlib', written.subarray(written.indexOf(0, 19) + 1)),
    ).toEqual(new Uint8Array(Buffer.from('15')))
  })

  it('refuses a compressor that is not there', async () => {
    await using app = new Lovage('shop', { broker: 'memory://', resultCompression: 'gzipp' })

    await expect(internalsOf(app).resultBackend()).rejects.toThrow('did you mean "gzip"?')
  })
})
