/** One round of one contestant: `node round.js <scenario> <contestant>`; the sample goes to the parent or is printed. */
import { scenarios } from '../scenarios.js'

const [, , scenarioName, contestantName] = process.argv
const contestant = scenarios
  .find(({ name }) => name === scenarioName)
  ?.contestants.find(({ name }) => name === contestantName)
if (contestant === undefined) throw new Error(`no contestant "${contestantName}" in "${scenarioName}"`)
const sample = await contestant.run()
if (process.send === undefined) process.stdout.write(`${JSON.stringify(sample)}\n`)
else process.send(sample, () => process.disconnect())
