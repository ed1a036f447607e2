import { expect, it } from '@jest/globals'
import { BatchQueue } from '../../../src/util/batch-queue.js'

function queueOf(...items: readonly string[]): BatchQueue<string> {
  const queue = new BatchQueue<string>()
  for (const item of items) queue.push(item)
  return queue
}

it('gives everything that waits at once, or as much as is wanted', () => {
  const queue = queueOf('a', 'b', 'c')

  expect(queue.take(2)).toEqual(['a', 'b'])
  expect([queue.take(), queue.size]).toEqual([['c'], 0])
})

it('gives a refused batch one by one, then batches again', () => {
  const queue = queueOf('a', 'b')
  const batch = queue.take()
  for (const later of ['c', 'd']) queue.push(later)

  queue.putBackSingly(batch)

  expect([queue.take(), queue.take(), queue.take()]).toEqual([['a'], ['b'], ['c', 'd']])
})

it('gives first, and together, what is to be tried again', () => {
  const queue = queueOf('a', 'b')
  const batch = queue.take()
  queue.push('c')

  queue.putBack(batch)

  expect(queue.clear()).toEqual(['a', 'b', 'c'])
})
