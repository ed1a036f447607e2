/** A binary heap: the element that comes before all others is on top. */
export class Heap<Element> {
  readonly #before: (one: Element, other: Element) => boolean
  readonly #placed: ((element: Element, place: number) => void) | undefined
  #items: Element[] = []

  /**
   * @param before - Whether `one` leaves the heap before `other`.
   * @param placed - Learns the place of an element whenever it changes, for {@link Heap.remove}; -1 outside of the heap.
   */
  constructor(
    before: (one: Element, other: Element) => boolean,
    placed?: (element: Element, place: number) => void,
  ) {
    this.#before = before
    this.#placed = placed
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

  /** Take the element at a place out. */
  remove(place: number): Element | undefined {
    const removed = this.#items[place]
    if (removed === undefined) return undefined
    this.#placed?.(removed, -1)
    const last = this.#items.pop()
    if (last !== undefined && last !== removed) this.#rise(last, this.#sink(last, place))
    return removed
  }

  /** Drop everything. */
  clear(): void {
    for (const element of this.#items) this.#placed?.(element, -1)
    this.#items = []
  }

  #put(element: Element, place: number): void {
    this.#items[place] = element
    this.#placed?.(element, place)
  }

  #rise(element: Element, from: number): void {
    let place = from
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#items[parentPlace]
      if (parent === undefined || !this.#before(element, parent)) break
      this.#put(parent, place)
      place = parentPlace
    }
    this.#put(element, place)
  }

  /** Where `element` belongs at or below a place; it is not put there. */
  #sink(element: Element, from: number): number {
    let place = from
    for (;;) {
      let childPlace = 2 * place + 1
      let child = this.#items[childPlace]
      if (child === undefined) return place
      const right = this.#items[childPlace + 1]
      if (right !== undefined && this.#before(right, child)) {
        child = right
        childPlace += 1
      }
      if (!this.#before(child, element)) return place
      this.#put(child, place)
      place = childPlace
    }
  }
}
