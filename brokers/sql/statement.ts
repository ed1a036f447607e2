import type { Parameters, SqlValue, ValueList } from './sql-session.js'
import { withNames } from './table-names.js'
import type { TableNames } from './table-names.js'

/** A statement as its driver takes it. */
export interface CompiledStatement {
  readonly sql: string
  /** Names of the values, in the order of the placeholders; none where they come in that order. */
  readonly order: readonly string[]
}

/** How a driver's statements are written. */
export interface Notation {
  /** Around a name. */
  readonly quote: string
  /** Whether placeholders have numbers, as `$1`, and not all the same `?`. */
  readonly isNumbered: boolean
}

/** A template with the names of the tables put in, and a placeholder for each `$name`. */
export function compiled(
  template: string,
  names: TableNames,
  { quote, isNumbered }: Notation,
): CompiledStatement {
  const order: string[] = []
  const sql = withNames(template, names, quote).replaceAll(/\$([a-z]\w*)/gi, (_whole, name: string) => {
    if (!isNumbered || !order.includes(name)) order.push(name)
    return isNumbered ? `$${order.indexOf(name) + 1}` : '?'
  })
  return { sql, order }
}

/** The values of a statement in the order of its placeholders. */
export function inOrder(
  { order }: CompiledStatement,
  parameters: Parameters,
): readonly (SqlValue | ValueList)[] {
  return isList(parameters) ? parameters : order.map((name) => parameters[name] ?? null)
}

/** `Array.isArray` for readonly arrays, which it does not tell from the rest of a union. */
export function isList<Value>(value: Value): value is Extract<Value, readonly unknown[]> {
  return Array.isArray(value)
}
