import type { Machine } from './machine.js'
import type { Goal, Round, Sample, Scenario } from './scenario.js'
import { median } from './statistics.js'

/** What a goal came to. */
export interface GoalResult {
  readonly goal: string
  readonly wanted: string
  /** Median over the rounds. */
  readonly measured: number
  readonly lowest: number
  readonly highest: number
  readonly met: boolean
}

/** What a scenario came to: medians over its rounds. */
export interface ScenarioResult {
  readonly scenario: string
  readonly about: string
  readonly rounds: number
  readonly contestants: Readonly<Record<string, Sample>>
  readonly goals: readonly GoalResult[]
}

/** The result file. */
export interface Report {
  readonly date: string
  readonly machine: Machine
  readonly scenarios: readonly ScenarioResult[]
}

/** Take medians over rounds, for ratios as for plain figures. */
export function summarize(scenario: Scenario, rounds: readonly Round[]): ScenarioResult {
  const contestants = Object.fromEntries(
    scenario.contestants.map(({ name }) => [name, medians(rounds.map((round) => round.get(name) ?? {}))]),
  )
  return {
    scenario: scenario.name,
    about: scenario.about,
    rounds: rounds.length,
    contestants,
    goals: scenario.goals.map((goal) => judge(goal, rounds)),
  }
}

function medians(samples: readonly Sample[]): Sample {
  const names = Object.keys(samples[0] ?? {})
  return Object.fromEntries(
    names.map((name) => [name, rounded(median(samples.map((sample) => sample[name] ?? Number.NaN)))]),
  )
}

function judge(goal: Goal, rounds: readonly Round[]): GoalResult {
  const values = rounds.map((round) => goal.value((name) => round.get(name) ?? {}))
  const measured = median(values)
  const { atLeast, atMost } = goal
  return {
    goal: goal.name,
    wanted: atLeast === undefined ? `<= ${atMost ?? ''}` : `>= ${atLeast}`,
    measured: rounded(measured),
    lowest: rounded(Math.min(...values)),
    highest: rounded(Math.max(...values)),
    met: (atLeast === undefined || measured >= atLeast) && (atMost === undefined || measured <= atMost),
  }
}

function rounded(value: number): number {
  if (Math.abs(value) >= 1000) return Math.round(value)
  return Number(value.toPrecision(3))
}

/** A scenario as tables in Markdown. */
export function toTables({ scenario, about, rounds, contestants, goals }: ScenarioResult): string {
  const fields = [...new Set(Object.values(contestants).flatMap((sample) => Object.keys(sample)))]
  const rows = Object.entries(contestants).map(([name, sample]) => [
    name,
    ...fields.map((field) => String(sample[field] ?? '')),
  ])
  const goalRows = goals.map(({ goal, wanted, measured, lowest, highest, met }) => [
    goal,
    wanted,
    String(measured),
    `${lowest} to ${highest}`,
    met ? 'yes' : 'NO',
  ])
  return [
    `### ${scenario}`,
    `${about} Medians of ${rounds} rounds.`,
    table(['contestant', ...fields], rows),
    ...(goalRows.length === 0 ? [] : [table(['goal', 'wanted', 'median', 'range', 'met'], goalRows)]),
  ].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
