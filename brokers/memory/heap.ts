/** A binary heap: the element that comes before all others is on top. */
export class Heap<Element> {
  readonly #before: (one: Element, other: Element) => boolean
  #items: Element[] = []

  /** @param before - Whether `one` leaves the heap before `other`. */
  constructor(before: (one: Element, other: Element) => boolean) {
    this.#before = before
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
    const items = this.#items
    let index = items.length
    items.push(element)
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = items[parentIndex]
      if (parent === undefined || !this.#before(element, parent)) break
      items[index] = parent
      index = parentIndex
    }
    items[index] = element
  }

  /** Take the top element out. */
  pop(): Element | undefined {
    const top = this.#items[0]
    const last = this.#items.pop()
    if (last !== undefined && this.#items.length > 0) this.#sink(last)
    return top
  }

  /** Drop everything. */
  clear(): void {
    this.#items = []
  }

  #sink(element: Element): void {
    const items = this.#items
    let index = 0
    for (;;) {
      let childIndex = 2 * index + 1
      let child = items[childIndex]
      if (child === undefined) break
      const right = items[childIndex + 1]
      if (right !== undefined && this.#before(right, child)) {
        child = right
        childIndex += 1
      }
      if (!this.#before(child, element)) break
      items[index] = child
      index = childIndex
    }
    items[index] = element
  }
}
