/** Something to do at a point of an app's life. */
export type AppHook = () => void

/** A point of an app's life that is passed once. */
export class Milestone {
  readonly #hooks: AppHook[] = []
  #passed = false

  get isPassed(): boolean {
    return this.#passed
  }

  /** Call `hook` when the point is passed, at once when it was. */
  add(hook: AppHook): void {
    if (this.#passed) hook()
    else this.#hooks.push(hook)
  }

  /** Pass the point: hooks run in the order they were added, the first time only. */
  pass(): void {
    if (this.#passed) return
    this.#passed = true
    for (const hook of this.#hooks.splice(0)) hook()
  }
}
