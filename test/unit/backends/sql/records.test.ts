import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { decodeBytes, fromRow, toRow } from '../../../../backends/sql/records.js'
import type { ResultRow } from '../../../../brokers/sql/dialect/dialect.js'
import { BackendError } from '../../../../src/errors/errors.js'
import { isRecord } from '../../../../src/util/record.js'
import { jsonCodec } from '../../../conformance/index.js'
import { projectRoot } from '../../../support/child.js'

async function recordedRows(variant: string): Promise<readonly ResultRow[]> {
  const path = `${projectRoot}/test/vectors/celery-5.7.0/${variant}/result-rows.json`
  const recorded: unknown = JSON.parse(await readFile(path, 'utf8'))
  const rows: unknown = isRecord(recorded) ? recorded['celery_taskmeta'] : []
  return Array.isArray(rows) ? rows.filter(isRecord).map(recordedRow) : []
}

function recordedRow(row: Readonly<Record<string, unknown>>): ResultRow {
  const text = (name: string): string | null => (typeof row[name] === 'string' ? row[name] : null)
  const bytes = (name: string): Uint8Array | null => {
    const value = row[name]
    return isRecord(value) ? Buffer.from(String(value['hex']), 'hex') : null
  }
  return {
    taskId: String(row['task_id']),
    status: String(row['status']),
    result: bytes('result'),
    dateDone: text('date_done'),
    traceback: text('traceback'),
    children: bytes('children'),
    name: text('name'),
    args: bytes('args'),
    kwargs: bytes('kwargs'),
    worker: text('worker'),
    retries: typeof row['retries'] === 'number' ? row['retries'] : null,
    queue: text('queue'),
    stamps: bytes('stamps'),
    groupId: null,
    parentId: null,
  }
}

/** JSON bytes by value: Python writes blanks after separators. */
function comparable(row: ResultRow): unknown {
  const entries = Object.entries(row).map(([name, value]: [string, unknown]) => {
    if (value instanceof Uint8Array) return [name, JSON.parse(Buffer.from(value).toString()) as unknown]
    // JavaScript's moments have milliseconds.
    return [name, name === 'dateDone' && typeof value === 'string' ? value.slice(0, 23) : value]
  })
  return Object.fromEntries(entries)
}

describe('rows that Celery 5.7 wrote', () => {
  it.each(['sqlalchemy-sqlite', 'sqlalchemy-sqlite-extended'])(
    'are read and written again alike (%s)',
    async (variant) => {
      const rows = await recordedRows(variant)

      const again = rows.map((row) => toRow(fromRow(row, jsonCodec), jsonCodec))

      expect(rows.length).toBeGreaterThan(2)
      expect(again.map(comparable)).toEqual(rows.map(comparable))
    },
  )

  it('become records with their fields', async () => {
    const rows = await recordedRows('sqlalchemy-sqlite-extended')

    const record = fromRow(rows[1] ?? recordedRow({}), jsonCodec)

    expect(record).toMatchObject({
      state: 'SUCCESS',
      result: 15,
      children: [],
      doneAtMs: Date.parse('2026-11-21T07:54:35.908Z'),
      extended: { name: 'proj.tasks.add', args: [5, 10], kwargs: {}, retries: 0, queue: 'celery' },
    })
  })
})

describe('a row that Celery up to 5.6 wrote', () => {
  it('has a state that can be read, and a result that says what helps', () => {
    const row = recordedRow({ task_id: 'old', status: 'SUCCESS', result: { hex: '80054b0f2e' } })

    const record = fromRow(row, jsonCodec)

    expect(record.state).toBe('SUCCESS')
    expect(() => record.result).toThrow(BackendError)
    expect(() => record.result).toThrow(/old is a Python pickle.*5\.7/)
  })
})

describe('decodeBytes', () => {
  it("reads SQL's NULL as nothing, as Celery up to 5.6 wrote None", () => {
    expect(decodeBytes(null, jsonCodec, 'x')).toBeUndefined()
  })

  it('refuses a pickle and says what helps', () => {
    const pickle = Buffer.from('8005950400000000000000', 'hex')

    expect(() => decodeBytes(pickle, jsonCodec, 'task-1')).toThrow(BackendError)
    expect(() => decodeBytes(pickle, jsonCodec, 'task-1')).toThrow(/task-1 is a Python pickle.*5\.7/)
  })

  it("leaves msgpack's empty map to the codec", () => {
    const codec = { ...jsonCodec, contentType: 'application/x-msgpack', decode: () => ({}) }

    expect(decodeBytes(Buffer.from([0x80]), codec, 'x')).toEqual({})
  })
})
