/**
 * A value as a literal that means the same under every `sql_mode`.
 *
 * Under `NO_BACKSLASH_ESCAPES` a backslash stands for itself, otherwise it escapes the next character: a text that has one
 * is written in hexadecimal.
 */
function mysqlLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  // Nothing is equal to NULL, so nothing is in a list of it.
  if (Array.isArray(value)) return value.length === 0 ? 'NULL' : value.map(mysqlLiteral).join(', ')
  if (value instanceof Uint8Array) return `X'${hex(value)}'`
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.includes('\\') || text.includes('\0')
    ? `_utf8mb4 X'${hex(Buffer.from(text))}'`
    : `'${text.replaceAll("'", "''")}'`
}

/** A statement with a literal for each of its question marks. */
export function withLiterals(sql: string, values: readonly unknown[]): string {
  if (values.length === 0) return sql
  let next = 0
  return sql.replaceAll('?', () => mysqlLiteral(values[next++]))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
