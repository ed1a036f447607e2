import { ConfigError } from '../../errors/errors.js'
import { refuseUnknown, type KnownMembers } from '../../util/known-members.js'

/** How a class of errors is written into a result, and built when one is read. */
export interface ErrorMapping<Err extends Error> {
  /** Python's module of the class; a reader there imports nothing by it. */
  readonly excModule: string
  /** The class's name, dotted when nested. */
  readonly excType: string
  /**
   * The constructor arguments of Python's class, which are also those of this class when one is read.
   *
   * @defaultValue `[error.message]`
   */
  excMessage?(error: Err): readonly unknown[]
}

/** A class of errors that can be built from what a result says. */
export type ErrorClass<Err extends Error> = new (...args: never[]) => Err

/** A registered class, with its type forgotten. */
export interface RegisteredError {
  readonly excModule: string
  readonly excType: string
  /** The constructor arguments; `undefined` when the error is not of this class. */
  argumentsOf(error: Error): readonly unknown[] | undefined
  /** An instance; whatever the constructor throws passes. */
  build(args: readonly unknown[]): Error
}

const MAPPING = { excModule: true, excType: true, excMessage: true } satisfies KnownMembers<
  ErrorMapping<Error>
>

/** The error classes that keep their identity across processes and languages. */
export class ErrorRegistry {
  readonly #entries: RegisteredError[] = []

  /**
   * Say how a class is written and read. Of a class and its subclass, the later registration is written.
   *
   * @throws ConfigError when the module and type are taken by another class.
   */
  register<Err extends Error>(errorClass: ErrorClass<Err>, mapping: ErrorMapping<Err>): void {
    refuseUnknown(mapping, MAPPING, `registerError of ${errorClass.name}`)
    const { excModule, excType } = mapping
    if (this.find(excType, excModule))
      throw new ConfigError(`the error "${excModule}.${excType}" is registered twice`)
    const isOurs = (error: Error): error is Err => error instanceof errorClass
    this.#entries.unshift({
      excModule,
      excType,
      argumentsOf: (error) => (isOurs(error) ? (mapping.excMessage?.(error) ?? [error.message]) : undefined),
      build: (args) => {
        const built: unknown = Reflect.construct(errorClass, [...args])
        if (built instanceof Error) return built
        throw new ConfigError(`the class registered for "${excModule}.${excType}" builds no Error`)
      },
    })
  }

  /** The class registered under a remote name; without a module, the type alone decides. */
  find(excType: string, excModule: string | undefined): RegisteredError | undefined {
    return this.#entries.find(
      (entry) => entry.excType === excType && (excModule === undefined || entry.excModule === excModule),
    )
  }

  /** The registration that writes this error, and the arguments it gives. */
  match(error: Error): { entry: RegisteredError; args: readonly unknown[] } | undefined {
    for (const entry of this.#entries) {
      const args = entry.argumentsOf(error)
      if (args) return { entry, args }
    }
    return undefined
  }
}
