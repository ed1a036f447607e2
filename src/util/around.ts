/** A function around an operation: it calls `next` to go on, and may change what goes in and comes out. */
export type Around<Input, Output> = (input: Input, next: (input: Input) => Promise<Output>) => Promise<Output>

/**
 * One function of several around an innermost one; the first of the list is the outermost.
 *
 * Composed once, so that an empty list costs nothing.
 */
export function compose<Input, Output>(
  around: readonly Around<Input, Output>[],
  innermost: (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return around.reduceRight<(input: Input) => Promise<Output>>(
    (next, one) => (input) => one(input, next),
    innermost,
  )
}
