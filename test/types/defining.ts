/** What must and must not compile about defining tasks; `tsc` is the test. */
import { z } from 'zod'

import { Lovage, type ConfigInput } from '../../src/index.js'

const app = new Lovage('types', { broker: 'memory://' })

/** Tasks with `bind`: their own context comes first, and callers do not see it. */
const charge = app.task(
  { name: 'types.charge', bind: true, maxRetries: 5, autoretryFor: [RangeError], retryBackoff: true },
  async (self, orderId: string, cents?: number) => {
    const id: string = self.request.id
    const retries: number = self.request.retries
    const signal: AbortSignal = self.signal
    await self.updateState({ state: 'PROGRESS', meta: { id, retries, aborted: signal.aborted } })
    // @ts-expect-error a state has a name
    await self.updateState({ meta: 1 })
    // @ts-expect-error there is no such field
    void self.request.taskId
    if (cents === -1) throw self.retry({ countdown: 10, exc: new RangeError('too little') })
    return { receiptId: orderId }
  },
)

/** Uses of a bound task. */
export async function bound(): Promise<void> {
  const receipt: { receiptId: string } = await (await charge.delay('order-7')).get()
  await charge.delay('order-7', 100)
  // @ts-expect-error the context is not an argument of the caller's
  await charge.delay({}, 'order-7')
  void receipt
}

/** Without `bind` the first parameter is an argument like the others. */
const plain = app.task('types.plain', (first: string) => first.length)

/** Uses of a task without `bind`. */
export async function unbound(): Promise<void> {
  await plain.delay('first')
  // @ts-expect-error there is no context to leave out
  await plain.delay()
}

/** A parameter with a default value has the type of that value, and callers may leave it out. */
const greet = app.task(
  'types.greet',
  (name: string, greeting = 'Hello', times = 1) => `${greeting} `.repeat(times) + name,
)

/** Uses of a task with default values. */
export async function defaults(): Promise<void> {
  await greet.delay('Ada')
  await greet.delay('Ada', 'Good day', 2)
  // @ts-expect-error the greeting is a text
  await greet.delay('Ada', 7)
}

/** Option names and values are checked. */
export function options(): void {
  // @ts-expect-error there is no such option
  app.task({ name: 'types.misspelt', maxRetry: 5 }, () => 1)
  // @ts-expect-error retries are a number
  app.task({ name: 'types.limit', maxRetries: 'five' }, () => 1)
  // @ts-expect-error a task has a function
  app.task('types.nothing', 7)
}

/** A schema of the arguments fits the function. */
const area = app.task(
  { name: 'types.area', args: z.tuple([z.number(), z.number()]) },
  (width: number, height: number) => width * height,
)

/** A schema that does not fit the function is refused. */
export function misfit(): void {
  app.task(
    // @ts-expect-error the schema gives a text, the function takes a number
    { name: 'types.misfit', args: z.tuple([z.string()]) },
    (side: number) => side,
  )
}

/** Uses of a task with a schema. */
export async function checked(): Promise<void> {
  const size: number = await (await area.delay(2, 3)).get()
  // @ts-expect-error the arguments are numbers
  await area.delay('2', 3)
  void size
}

/** Settings as a user writes them. */
export const settings: readonly ConfigInput[] = [
  { broker: 'memory://', backend: false, taskAcksLate: true },
  { taskDefaultQueue: 'math', resultExpires: { hours: 1 } },
  // @ts-expect-error a misspelt setting does not compile
  { taskAckLate: true },
  // @ts-expect-error a switch is true or false
  { taskAcksLate: 'yes' },
]
