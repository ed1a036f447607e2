import { describe, expect, it, jest } from '@jest/globals'
import type { Binding } from '../../../src/broker/contract.js'
import { matchBindings, matchesHeaders, matchesTopic } from '../../../src/broker/routing.js'
import { list, readVector, record, text } from '../message/vectors.js'

/** Where AMQP, which Lovage follows on every store, and kombu's virtual transports part ways: pattern and key. */
const ONLY_IN_AMQP = ['worker.# worker', 'a.#.z a.z', '*.stock.# x.stock']

describe('topic patterns', () => {
  it('match as in the table recorded from kombu, but for the points the documentation names', () => {
    const table = record(readVector('celery-5.6.3/codecs/topic-patterns.json'))
    const differing: string[] = []

    for (const row of list(table['patterns'])) {
      const { binding_key: pattern, matches } = record(row)
      for (const key of list(table['routing_keys_tested'])) {
        if (matchesTopic(text(pattern), text(key)) !== list(matches).includes(key)) {
          differing.push(`${text(pattern)} ${text(key)}`)
        }
      }
    }

    const wordsOnly = differing.filter((pair) => !/^(k\.\*|\*) /.test(pair))
    expect(wordsOnly.sort()).toEqual([...ONLY_IN_AMQP].sort())
    expect(matchesTopic('k.*', 'k.a.b')).toBe(false)
    expect(matchesTopic('*', 'k.a')).toBe(false)
  })

  it('match as in the table recorded from kombu 5.7, where * is one word', () => {
    const vector = record(readVector('celery-5.7.0/redis-options/topic-patterns.json'))
    const patterns = ['video.#', '*.hd', 'a.*.c', '#']

    for (const [key, matching] of Object.entries(record(vector['routing_key_to_matching_binding_keys']))) {
      const expected = key === 'video' ? ['video.#', '#'] : matching
      expect(patterns.filter((pattern) => matchesTopic(pattern, key))).toEqual(expected)
    }
  })

  it.each([
    ['', '', true],
    ['#', '', true],
    ['*', '', false],
    ['a', 'A', false],
    ['#.#', 'a', true],
    ['#.a.#', 'x.a.y.z', true],
    ['#.a.#', 'x.b.y', false],
    ['*.*', 'a.b', true],
    ['*.*', 'a', false],
    ['a.#.b.*', 'a.b.b.c', true],
    ['a.*.#', 'a', false],
    ['a..b', 'a..b', true],
    ['a.*.b', 'a..b', true],
  ])('%j against %j is %s', (pattern, key, matches) => {
    expect(matchesTopic(pattern, key)).toBe(matches)
  })

  it('take no more steps than their length allows', () => {
    const pattern = Array.from({ length: 30 }, () => '#.a').join('.')
    const key = Array.from({ length: 200 }, () => 'a').join('.')
    // Each step notes how far the key is matched.
    using steps = jest.spyOn(Set.prototype, 'add')

    expect(matchesTopic(`${pattern}.b`, key)).toBe(false)
    expect(steps.mock.calls.length).toBeLessThan(61 * 202)
    expect(steps).toHaveBeenCalled()
  })
})

describe('headers', () => {
  it.each([
    [{ kind: 'pdf', size: 1 }, { kind: 'pdf', size: 1, more: true }, true],
    [{ kind: 'pdf', size: 1 }, { kind: 'pdf' }, false],
    [{ 'x-match': 'any', kind: 'pdf', size: 1 }, { kind: 'pdf' }, true],
    [{ 'x-match': 'any', kind: 'pdf' }, { kind: 'doc' }, false],
    [{ 'x-match': 'all' }, {}, true],
    [{ 'x-match': 'any' }, { a: 1 }, false],
    [{ kind: undefined }, { kind: 'anything' }, true],
    [{ kind: undefined }, {}, false],
    [{ 'x-kind': 'pdf' }, {}, true],
    [{ 'x-match': 'all-with-x', 'x-kind': 'pdf' }, {}, false],
    [{ 'x-match': 'any-with-x', 'x-kind': 'pdf' }, { 'x-kind': 'pdf' }, true],
    [{ toString: 'pdf' }, {}, false],
  ])('%j wanted, %j given: %s', (wanted, given, matches) => {
    expect(matchesHeaders(wanted, given)).toBe(matches)
  })
})

describe('matchBindings', () => {
  const bind = (queue: string, exchange: string, type: Binding['type'], routingKey: string) => ({
    queue,
    binding: { exchange, type, routingKey },
  })

  it('finds each queue once, in the order of the bindings, within its own exchange', () => {
    const bindings = [
      bind('b', 'x', 'topic', 'a.#'),
      bind('a', 'x', 'direct', 'a.b'),
      bind('b', 'x', 'fanout', ''),
      bind('c', 'y', 'fanout', ''),
      bind('d', 'x', 'direct', 'a'),
    ]

    expect(matchBindings(bindings, { exchange: 'x', routingKey: 'a.b' })).toEqual(['b', 'a'])
  })

  it('finds nothing where nothing is bound', () => {
    expect(matchBindings([], { exchange: 'x', routingKey: 'a' })).toEqual([])
  })
})
