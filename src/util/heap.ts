/** A binary heap: the element that comes before all others is on top. */
export class Heap<Element> {
  readonly #before: (one: Element, other: Element) => boolean
  readonly #moved: ((element: Element, index: number) => void) | undefined
  #items: Element[] = []

  /**
   * @param before - Whether `one` leaves the heap before `other`.
   * @param moved - Learns the index of an element whenever it changes, for {@link Heap.remove}; -1 outside of the heap.
   */
  constructor(
    before: (one: Element, other: Element) => boolean,
    moved?: (element: Element, index: number) => void,
  ) {
    this.#before = before
    this.#moved = moved
  }

  /** How many elements there are. */
  get size(): number {
    return this.#items.length
  }

  /** The top element, left where it is. */
  peek(): Element | undefined {
    return this.#items[0]
  }

  /** Add an element. */
  push(element: Element): void {
    this.#rise(element, this.#items.length)
  }

  /** Take the top element out. */
  pop(): Element | undefined {
    return this.remove(0)
  }

  /** Take the element at a index out. */
  remove(index: number): Element | undefined {
    const removed = this.#items[index]
    if (removed === undefined) return undefined
    this.#moved?.(removed, -1)
    const last = this.#items.pop()
    if (last !== undefined && last !== removed) this.#rise(last, this.#sink(last, index))
    return removed
  }

  /** Drop everything. */
  clear(): void {
    for (const element of this.#items) this.#moved?.(element, -1)
    this.#items = []
  }

  #put(element: Element, index: number): void {
    this.#items[index] = element
    this.#moved?.(element, index)
  }

  #rise(element: Element, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#items[parentIndex]
      if (parent === undefined || !this.#before(element, parent)) break
      this.#put(parent, index)
      index = parentIndex
    }
    this.#put(element, index)
  }

  /** Where `element` belongs at or below a index; it is not put there. */
  #sink(element: Element, from: number): number {
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      let child = this.#items[childIndex]
      if (child === undefined) return index
      const right = this.#items[childIndex + 1]
      if (right !== undefined && this.#before(right, child)) {
        child = right
        childIndex += 1
      }
      if (!this.#before(child, element)) return index
      this.#put(child, index)
      index = childIndex
    }
  }
}
