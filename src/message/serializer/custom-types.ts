import { ConfigError } from '../../errors/errors.js'

/** A class that travels in JSON under a marker of its own. */
export interface CustomType<Value extends object> {
  /** Instances of it are written under `marker`. */
  readonly type: abstract new (...args: never[]) => Value
  /** The `__type__` on the wire; a Python reader needs a type of the same name. */
  readonly marker: string
  /** The plain data to write. */
  encode(value: Value): unknown
  /** An instance from what `encode` gave. */
  decode(data: unknown): Value
}

interface Entry {
  readonly marker: string
  matches(value: object): boolean
  encode(value: object): unknown
  decode(data: unknown): unknown
}

const BUILT_IN: readonly string[] = ['datetime', 'date', 'time', 'decimal', 'uuid', 'bytes', 'base64']

/** The classes a user has given a form in JSON. */
export class CustomTypes {
  readonly #entries: Entry[] = []

  /** @throws ConfigError when the marker is one of kombu's or taken. */
  register<Value extends object>(custom: CustomType<Value>): void {
    const { marker, type } = custom
    if (BUILT_IN.includes(marker) || this.find(marker)) {
      throw new ConfigError(`the type marker "${marker}" is taken; choose another`)
    }
    const isOurs = (value: object): value is Value => value instanceof type
    this.#entries.push({
      marker,
      matches: isOurs,
      encode: (value) => (isOurs(value) ? custom.encode(value) : undefined),
      decode: (data) => custom.decode(data),
    })
  }

  /** The type that writes this object, if any. */
  match(value: object): Entry | undefined {
    return this.#entries.find((entry) => entry.matches(value))
  }

  /** The type with this marker, if any. */
  find(marker: string): Entry | undefined {
    return this.#entries.find((entry) => entry.marker === marker)
  }
}
