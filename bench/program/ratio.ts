import { field, type Goal } from '../harness/scenario.js'

/** A goal for the figure of one contestant divided by that of another of the same round. */
export function ratio(
  contestant: string,
  of: string,
  bound: { readonly atLeast: number } | { readonly atMost: number },
  name = 'perSecond',
): Goal {
  return {
    name: `${contestant}: ${name}, of ${of}`,
    ...bound,
    value: (sample) => field(sample(contestant), name) / field(sample(of), name),
  }
}
