import { describe, expect, it } from '@jest/globals'
import { fromTable, toTable } from '../../../../brokers/rabbitmq/table.js'

describe('header tables', () => {
  it('tag every integer that fits as 32-bit, wherever it stands', () => {
    expect(toTable({ retries: 0, group_index: 300, timelimit: [300, null], nested: { at: [-1] } })).toEqual({
      retries: { '!': 'int32', value: 0 },
      group_index: { '!': 'int32', value: 300 },
      timelimit: [{ '!': 'int32', value: 300 }, null],
      nested: { at: [{ '!': 'int32', value: -1 }] },
    })
  })

  it.each([
    [2 ** 31, 'int64'],
    [2 ** 53, 'int64'],
    [2 ** 70, 'double'],
    [-(2 ** 40), 'double'],
    [1.5, 'double'],
    [Number.NaN, 'double'],
  ])('tag %d as %s, which Python reads as it is', (value, type) => {
    expect(toTable({ value })).toEqual({ value: { '!': type, value } })
  })

  it('write what a table has no place for as text or nothing', () => {
    const table = toTable({
      at: new Date(0),
      big: 2n ** 80n,
      gone: undefined,
      call: () => 1,
      bytes: new Uint8Array([7]),
    })

    expect(table).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      big: String(2n ** 80n),
      call: null,
      bytes: Buffer.from([7]),
    })
  })

  it('do not take an object of the caller for a tagged value', () => {
    expect(toTable({ stamp: { '!': 'int64', value: 1 } })).toEqual({
      stamp: { '!': 'object', value: { '!': 'int64', value: { '!': 'int32', value: 1 } } },
    })
  })

  it('are read with the tagged values of the library made plain', () => {
    const death = { time: { '!': 'timestamp', value: 1_700_000_000 }, queue: 'q' }

    expect(
      fromTable({ 'x-death': [death], price: { '!': 'decimal', value: { places: 2, digits: 150 } } }),
    ).toEqual({
      'x-death': [{ time: 1_700_000_000, queue: 'q' }],
      price: 1.5,
    })
  })

  it('are left as they are where nothing is tagged', () => {
    const headers = { id: 'a', timelimit: [null, 1], stamps: {} }

    expect(fromTable(headers)).toBe(headers)
  })
})
