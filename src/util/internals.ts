/** What only Lovage itself and its tests use of an app. */
export let internalsOf: <Internals>(app: AppWith<Internals>) => Internals

/**
 * Base of the app: keeps what only the other parts of Lovage use of it.
 *
 * A private field and one accessor that no entry of the package exports. The class stands this low so that beat and result handles,
 * which stand below the app, can state by its type which part of an app they need.
 */
export class AppWith<Internals> {
  readonly #internals: Internals

  constructor(internals: Internals) {
    this.#internals = internals
  }

  static {
    internalsOf = (app) => app.#internals
  }
}
