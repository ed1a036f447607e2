/**
 * `npm run bench -- [scenario …] [--rounds=n] [--label=word]`: measures, prints tables, writes
 * `bench/result/<date>-<machine>[-<label>].json`.
 *
 * The contestants of a scenario take turns, each round in a process of its own. Nothing here fails when a goal is missed.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runRound } from './harness/child.js'
import { describeMachine } from './harness/machine.js'
import { summarize, toTables, type Report, type ScenarioResult } from './harness/report.js'
import type { Round, Sample, Scenario } from './harness/scenario.js'
import { scenarios } from './scenarios.js'

const words = process.argv.slice(2)
const chosen = chooseScenarios(words.filter((word) => !word.startsWith('--')))
const wantedRounds = words.find((word) => word.startsWith('--rounds='))?.slice('--rounds='.length)
const label = words.find((word) => word.startsWith('--label='))?.slice('--label='.length)
const machine = await describeMachine()
const results: ScenarioResult[] = []
process.stdout.write(
  `${Object.entries(machine)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n')}\n`,
)
for (const scenario of chosen) {
  const rounds = await runAll(scenario, wantedRounds === undefined ? scenario.rounds : Number(wantedRounds))
  const result = summarize(scenario, rounds)
  results.push(result)
  process.stdout.write(`\n${toTables(result)}\n`)
  await save({ date: new Date().toISOString(), machine, scenarios: results })
}

function chooseScenarios(names: readonly string[]): readonly Scenario[] {
  for (const name of names) {
    if (scenarios.every((scenario) => scenario.name !== name)) {
      throw new Error(
        `no scenario "${name}"; there are: ${scenarios.map((scenario) => scenario.name).join(', ')}`,
      )
    }
  }
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name))
}

async function runAll(scenario: Scenario, count: number): Promise<readonly Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round < count; round += 1) {
    const samples = new Map<string, Sample>()
    for (const { name } of scenario.contestants) samples.set(name, await runRound(scenario.name, name))
    rounds.push(samples)
    process.stderr.write(`${scenario.name}: round ${round + 1} of ${count}\n`)
  }
  return rounds
}

async function save(report: Report): Promise<void> {
  const folder = fileURLToPath(new URL('../../bench/result/', import.meta.url))
  await mkdir(folder, { recursive: true })
  const file = `${report.date.slice(0, 10)}-${report.machine.name}-node${report.machine.node.split('.')[0] ?? ''}${label === undefined ? '' : `-${label}`}.json`
  await writeFile(`${folder}${file}`, `${JSON.stringify(report, undefined, 2)}\n`)
  process.stdout.write(`\nbench/result/${file}\n`)
}
