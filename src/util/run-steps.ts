import { toError } from './to-error.js'

/** One step of a list that has to be walked to its end. */
export interface Step {
  /** Named in the error when the step fails. */
  readonly name: string
  readonly run: () => unknown
}

/**
 * Run every step in order, also after one has failed.
 *
 * @param steps - Each is awaited before the next begins.
 * @param failed - Told of each failure as it happens.
 * @throws AggregateError that holds the errors of the steps that failed, in order.
 */
export async function runSteps(
  steps: readonly Step[],
  failed?: (step: string, error: unknown) => void,
): Promise<void> {
  const errors: Error[] = []
  const names: string[] = []
  for (const step of steps) {
    try {
      await step.run()
    } catch (error) {
      names.push(step.name)
      errors.push(toError(error))
      failed?.(step.name, error)
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `failed: ${names.join(', ')}`)
}
