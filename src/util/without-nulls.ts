/** Options without those that are null: `null` means that an option is not given. */
export function withoutNulls<Options extends object>(options: Options | null | undefined): Partial<Options>
export function withoutNulls(options: object | null | undefined): object {
  if (options === null || options === undefined) return {}
  for (const value of Object.values(options)) {
    if (value === null) return Object.fromEntries(Object.entries(options).filter(([, one]) => one !== null))
  }
  return options
}
