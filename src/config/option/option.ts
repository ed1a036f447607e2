import type { DurationInput } from '../../util/duration.js'

/** What every row of the option table has. */
interface OptionBase {
  /** One paragraph for the reference; its first sentence stands alone in `--help`. */
  readonly doc: string
  /** Upper-case names of Celery before 4.0, the usual one first. */
  readonly old?: readonly string[]
  /** Other camelCase names of the same option. */
  readonly aliases?: readonly string[]
  /** The value is never printed. */
  readonly secret?: true
  /** The value is a URL or a list of them, printed with the password masked. */
  readonly url?: true
  /** What to use in its place; using the option warns. */
  readonly deprecated?: string
  /** Printed as the default where the value itself says too little. */
  readonly defaultText?: string
  /** The option whose resolved value stands in when this one is not set. */
  readonly sameAs?: string
  /** Computes the value when this one is not set, from the resolved values of others. */
  readonly derive?: (valueOf: (name: string) => unknown) => unknown
  /** What an explicit `None`, `null` or empty text means; the default when left out. */
  readonly whenNone?: unknown
}

/** `true` or `false`; text says it as `true`, `yes`, `on`, `1` or their opposites. */
export interface BooleanOption extends OptionBase {
  readonly kind: 'boolean'
  readonly default: boolean | undefined
}

/** A number, whole when the kind is `integer`. */
export interface NumberOption extends OptionBase {
  readonly kind: 'integer' | 'number'
  readonly default: number | undefined
  readonly min?: number
  readonly max?: number
  /** For the reference: `bytes`, `milliseconds`. */
  readonly unit?: string
  /** Whether `Infinity` is a value. */
  readonly infinite?: true
  /** 0 is read as `Infinity`, as Celery has it for this option. */
  readonly zeroIsInfinite?: true
}

/** Text, or one of a few words. */
export interface StringOption extends OptionBase {
  readonly kind: 'string'
  readonly default: string | undefined
  readonly choices?: readonly string[]
}

/** A list of words; text is split at white space and commas. */
export interface ListOption extends OptionBase {
  readonly kind: 'list'
  readonly default: readonly string[] | undefined
}

/** A length of time: written in seconds or with units, resolved in milliseconds under a name that ends in `Ms`. */
export interface DurationOption extends OptionBase {
  readonly kind: 'duration'
  readonly default: DurationInput | undefined
  readonly min?: DurationInput
  /** Whether `Infinity` is a value. */
  readonly infinite?: true
}

/** A plain object, passed on as it is; text is JSON. */
export interface DictOption extends OptionBase {
  readonly kind: 'dict'
  readonly default: Readonly<Record<string, unknown>> | undefined
}

/** A value with a form of its own. */
export interface ValueOption extends OptionBase {
  readonly kind: 'value'
  readonly default: unknown
  /** TypeScript types of what is written and what is resolved, and the module of `src/config` that declares them. */
  readonly types: { readonly input: string; readonly output: string; readonly module?: string }
  /** Reads what was written; throws a `ConfigError` when it does not fit. */
  readonly read: (value: unknown, name: string) => unknown
  /** Reads text of the environment or an ini file before `read`; JSON where it looks like JSON when left out. */
  readonly fromText?: (text: string, name: string) => unknown
  /** How values are described in the reference. */
  readonly form: string
}

/** One row of the option table. */
export type Option =
  BooleanOption | NumberOption | StringOption | ListOption | DurationOption | DictOption | ValueOption

/** Rows by camelCase name. */
export type OptionTable = Readonly<Record<string, Option>>
