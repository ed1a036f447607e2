import { describe, expect, it } from '@jest/globals'
import { chooseEngine, ENGINE_NAMES } from '../../../../../brokers/sql/engine/choose.js'
import { SQLITE, sqliteCode } from '../../../../../brokers/sql/engine/native.js'
import { ConfigError, DriverMissingError } from '../../../../../src/errors/errors.js'

const hasBuiltin = Number(process.versions.node.split('.')[0]) >= 24

describe('chooseEngine', () => {
  it("takes Node's own SQLite where there is one, else a package", async () => {
    const engine = await chooseEngine(undefined)

    if (hasBuiltin) expect(engine.name).toBe('node:sqlite')
    else expect(['better-sqlite3', 'libsql']).toContain(engine.name)
  })

  it('takes the engine asked for, or names what to install', async () => {
    for (const name of ENGINE_NAMES) {
      const choice = await chooseEngine(name).catch((error: unknown) => error)

      if (choice instanceof DriverMissingError) expect(choice.packageName).toBe(name)
      else if (choice instanceof ConfigError) expect(choice.message).toMatch(/Node 22\.13/)
      else expect(choice).toMatchObject({ name })
    }
  })

  it('opens a file with each engine that is there, and reads back what was written', async () => {
    for (const name of ENGINE_NAMES) {
      const engine = await chooseEngine(name).catch(() => undefined)
      const native = engine?.open(':memory:')
      native?.exec('CREATE TABLE t (a INTEGER, b BLOB, c TEXT)')
      native
        ?.prepare('INSERT INTO t VALUES (?, ?, ?)')
        .run([1_795_254_659_424, new Uint8Array([0, 128]), null])

      const rows = native?.prepare('SELECT a, b, c FROM t').all([]) ?? []

      if (engine !== undefined) {
        expect(rows.map(([a, b, c]) => [a, b instanceof Uint8Array && [...b], c])).toEqual([
          [1_795_254_659_424, [0, 128], null],
        ])
      }
      native?.close()
    }
  })
})

describe('sqliteCode', () => {
  it.each([
    ['better-sqlite3 and libsql', { code: 'SQLITE_BUSY_SNAPSHOT' }, SQLITE.BUSY],
    ['libsql with a number', { code: 'UNKNOWN', rawCode: 13 }, SQLITE.FULL],
    ['node:sqlite with an extended code', { code: 'ERR_SQLITE_ERROR', errcode: 778 }, SQLITE.IOERR],
    ['another error', { code: 'ENOENT' }, undefined],
    ['no error', 'text', undefined],
  ])('reads the code of %s', (_name, error, code) => {
    expect(sqliteCode(error)).toBe(code)
  })
})
