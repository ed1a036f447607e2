/** What one round of one contestant measured: numbers by name, each with its unit in the name. */
export type Sample = Readonly<Record<string, number>>

/** Something that is measured, in a process of its own for each round. */
export interface Contestant {
  readonly name: string
  readonly run: () => Promise<Sample>
}

/** The samples of one round by contestant. */
export type Round = ReadonlyMap<string, Sample>

/** A figure to reach, computed in each round from the contestants of that round. */
export interface Goal {
  readonly name: string
  readonly atLeast?: number
  readonly atMost?: number
  readonly value: (sample: (contestant: string) => Sample) => number
}

/** Contestants that run in turns, and what is asked of them. */
export interface Scenario {
  readonly name: string
  readonly about: string
  readonly rounds: number
  readonly contestants: readonly Contestant[]
  readonly goals: readonly Goal[]
}

/** A number of a sample; NaN when the round did not measure it. */
export function field(sample: Sample, name: string): number {
  return sample[name] ?? Number.NaN
}

/** A ratio of two contestants of a round, and how large or small it is to be. */
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
