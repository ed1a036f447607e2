/** A value as written, and how errors name it. */
export interface WrittenValue {
  readonly value: unknown
  /** The name in the spelling that was used; with file and line where there is one. */
  readonly label: string
}

/** What one source gave. */
export interface LoadedSettings {
  /** Where it came from, for messages: `environment`, `development.ini`. */
  readonly source: string
  /** Options by camelCase name. */
  readonly values: ReadonlyMap<string, WrittenValue>
  /** Keys that are not options and belong to the host, such as `sqlalchemy.url`. */
  readonly host: Readonly<Record<string, unknown>>
  /** Near misses, deprecated names and values that were left alone; one sentence each. */
  readonly warnings: readonly string[]
}
