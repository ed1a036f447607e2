import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Heap } from '../../../src/util/heap.js'

describe('Heap', () => {
  it('gives elements back in order, whatever the order they came in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new Heap<number>((one, other) => one < other)
        for (const number of numbers) heap.push(number)

        const popped = numbers.map(() => heap.pop())

        expect(popped).toEqual([...numbers].sort((one, other) => one - other))
        expect(heap.pop()).toBeUndefined()
      }),
    )
  })

  it('keeps its order while elements come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }))), (steps) => {
        const heap = new Heap<number>((one, other) => one < other)
        const model: number[] = []
        for (const step of steps) {
          if (step === null) {
            model.sort((one, other) => one - other)
            expect(heap.pop()).toBe(model.shift())
          } else {
            heap.push(step)
            model.push(step)
          }
          expect(heap.size).toBe(model.length)
          expect(heap.peek()).toBe(model.length === 0 ? undefined : Math.min(...model))
        }
      }),
    )
  })

  it('takes elements out of the middle by the place it tells of', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer(), fc.boolean())), (wanted) => {
        const heap = new Heap<{ key: number; place: number }>(
          (one, other) => one.key < other.key,
          (element, place) => {
            element.place = place
          },
        )
        const elements = wanted.map(([key]) => ({ key, place: -1 }))
        for (const element of elements) heap.push(element)

        const removed = elements.filter((_, index) => wanted[index]?.[1])
        for (const element of removed) expect(heap.remove(element.place)).toBe(element)

        const left = elements.filter((element) => !removed.includes(element))
        const popped = left.map(() => heap.pop()?.key)
        expect(popped).toEqual(left.map(({ key }) => key).sort((one, other) => one - other))
        expect(heap.pop()).toBeUndefined()
        expect(elements.every(({ place }) => place === -1)).toBe(true)
      }),
    )
  })
})
