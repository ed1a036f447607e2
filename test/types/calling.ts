/** What must and must not compile about calling tasks; `tsc` is the test. */
import { Lovage, type AsyncResult, type EagerResult } from '../../src/index.js'

const app = new Lovage('types', { broker: 'memory://', backend: 'memory://' })
const add = app.task('types.add', (x: number, y: number) => x + y)
const greet = app.task('types.greet', async (name: string, loud = false) =>
  loud ? name.toUpperCase() : name,
)

/** Holds only for the very same type. */
type Same<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2 ? true : false

function expectTrue<Claim extends true>(): Claim | undefined {
  return undefined
}

/** Called by nobody: it only has to compile. */
export async function calls(): Promise<void> {
  // A task is still its function.
  const sum = add(1, 2)
  expectTrue<Same<typeof sum, number>>()
  const ran = add.run(1, 2)
  expectTrue<Same<typeof ran, number>>()
  const greeted = greet('lovage')
  expectTrue<Same<typeof greeted, Promise<string>>>()

  await add.delay(1, 2)
  await greet.delay('lovage')
  await greet.delay('lovage', true)
  // @ts-expect-error the arguments are numbers
  await add.delay('1', 2)
  // @ts-expect-error an argument is missing
  await add.delay(1)
  // @ts-expect-error there is one too many
  await add.delay(1, 2, 3)
  // @ts-expect-error the arguments of a direct call are checked too
  add('1', 2)

  await add.applyAsync([1, 2], { countdown: 10, queue: 'math', priority: 5, expires: { hours: 1 } })
  // @ts-expect-error the arguments are a list
  await add.applyAsync(1, 2)
  // @ts-expect-error the list holds numbers
  await add.applyAsync(['1', 2])
  // @ts-expect-error there is no such option
  await add.applyAsync([1, 2], { countDown: 10 })
  // @ts-expect-error a duration is a number of seconds or names its unit
  await add.applyAsync([1, 2], { countdown: '10s' })
  // @ts-expect-error there is no such unit
  await add.applyAsync([1, 2], { countdown: { fortnights: 1 } })
  // @ts-expect-error a moment is a Date
  await add.applyAsync([1, 2], { eta: '2026-11-20' })

  await add.bulk([
    [1, 2],
    [3, 4],
  ])
  // @ts-expect-error each call has two arguments
  await add.bulk([[1, 2], [3]])
}

/** What a call gives. */
export async function results(): Promise<void> {
  // Awaiting a call gives the handle: a result is not thenable.
  const result = await add.delay(1, 2)
  expectTrue<Same<typeof result, AsyncResult<number>>>()
  // @ts-expect-error there is no `then`
  result.then

  const value = await result.get()
  expectTrue<Same<typeof value, number>>()
  const soon = await result.get(3)
  expectTrue<Same<typeof soon, number>>()
  const kept = await result.get({ timeout: { minutes: 1 }, propagate: false })
  expectTrue<Same<typeof kept, number | Error>>()
  const known = result.result
  expectTrue<Same<typeof known, number | Error | undefined>>()
  // @ts-expect-error state is asked for, so it is a promise
  const state: string = result.state()
  // @ts-expect-error a timeout is no text
  await result.get('3')

  // A task that returns a promise gives what the promise gives.
  const text = await (await greet.delay('lovage')).get()
  expectTrue<Same<typeof text, string>>()

  const eager = await add.apply([1, 2])
  expectTrue<Same<typeof eager, EagerResult<number>>>()
  const elsewhere = add.AsyncResult('some-id')
  expectTrue<Same<typeof elsewhere, AsyncResult<number>>>()

  // Of a task that only its name is known of, the value is unknown.
  const foreign = await app.sendTask('python.tasks.resize', { args: ['a.png'], kwargs: { width: 100 } })
  const resized = await foreign.get()
  expectTrue<Same<typeof resized, unknown>>()
  void state
}
