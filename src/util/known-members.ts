import { ConfigError } from '../errors/errors.js'
import { suggest } from './suggest.js'

/** The members of an options object, all of them: `satisfies KnownMembers<Options>` has the compiler see to it. */
export type KnownMembers<Options> = Readonly<Record<keyof Options, true>>

/**
 * Refuse a member that an options object does not have: it would be ignored.
 *
 * @param options - What the caller gave.
 * @param known - The members there are.
 * @param what - What the options are for, as the error names it.
 * @param errorClass - Class of the error.
 * @throws {@link ConfigError}, or the class given, with the name that was probably meant.
 */
export function refuseUnknown(
  options: object,
  known: object,
  what: string,
  errorClass: new (message: string) => Error = ConfigError,
): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    const near = suggest(name, Object.keys(known))
    const hint = near === undefined ? '' : `; did you mean "${near}"?`
    throw new errorClass(`unknown option "${name}" for ${what}${hint}`)
  }
}
