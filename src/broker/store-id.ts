import { createHash } from 'node:crypto'

/**
 * Names a store to the broker and the result backend that use it, without giving away the secrets in its address.
 *
 * @param parts - Kind and address of the store, the same ones in both.
 */
export function storeIdOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
