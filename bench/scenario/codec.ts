import { randomUUID } from 'node:crypto'
import { Codecs } from '../../src/message/codecs.js'
import { decodeTask } from '../../src/message/decode-task.js'
import { EMPTY_EMBED } from '../../src/message/embed.js'
import { encodeTask } from '../../src/message/encode-task.js'
import type { OutgoingTask } from '../../src/message/task-message.js'
import { field, type Contestant, type Sample, type Scenario } from '../harness/scenario.js'
import { median } from '../harness/statistics.js'

const REPETITIONS = 41
const MESSAGES = 5_000

type Kwargs = Readonly<Record<string, unknown>>

interface Shape {
  readonly name: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
}

const SHAPES: readonly Shape[] = [
  { name: 'add(5, 10)', args: [5, 10], kwargs: {} },
  {
    name: 'order with 8 fields',
    args: ['order-4711', { items: [1, 2, 3], total: 12.5, paid: false, note: null, tags: ['a', 'b'] }],
    kwargs: { tenant: 'acme', locale: 'en' },
  },
]

const codecs = new Codecs()
const accepted = codecs.serializers.accept(['json'])

function outgoing(args: readonly unknown[], kwargs: Kwargs): OutgoingTask {
  const id = randomUUID()
  return {
    id,
    task: 'tasks.add',
    args,
    kwargs,
    embed: EMPTY_EMBED,
    retries: 0,
    rootId: id,
    replacedTaskNesting: 0,
    stamps: {},
    properties: {},
    serializer: 'json',
  }
}

function codec(args: readonly unknown[], kwargs: Kwargs): unknown {
  return decodeTask(encodeTask(outgoing(args, kwargs), codecs), codecs, accepted)
}

/** As {@link codec}, with what a transport of JSON envelopes adds on both ways. */
function codecInEnvelope(args: readonly unknown[], kwargs: Kwargs): unknown {
  const message = encodeTask(outgoing(args, kwargs), codecs)
  const text = JSON.stringify({ ...message, body: Buffer.from(message.body).toString('base64') })
  const envelope: typeof message & { body: string } = JSON.parse(text)
  return decodeTask({ ...envelope, body: Buffer.from(envelope.body, 'base64') }, codecs, accepted)
}

/** The same fields, written and read by JSON alone: what any queue of JSON would pay. */
function plain(args: readonly unknown[], kwargs: Kwargs): unknown {
  const id = randomUUID()
  const text = JSON.stringify({
    headers: {
      lang: 'js',
      task: 'tasks.add',
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [null, null],
      root_id: id,
      parent_id: null,
      argsrepr: '(5, 10)',
      kwargsrepr: '{}',
      origin: 'gen1@host',
      ignore_result: null,
      replaced_task_nesting: 0,
      stamped_headers: null,
      stamps: {},
    },
    properties: { correlationId: id },
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    body: [args, kwargs, { callbacks: null, errbacks: null, chain: null, chord: null }],
  })
  return JSON.parse(text)
}

async function measure(
  { args, kwargs }: Shape,
  run: (args: readonly unknown[], kwargs: Kwargs) => unknown,
): Promise<Sample> {
  const times: number[] = []
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    const start = process.hrtime.bigint()
    for (let count = 0; count < MESSAGES; count += 1) run(args, kwargs)
    times.push(Number(process.hrtime.bigint() - start) / MESSAGES / 1000)
  }
  return { us: median(times) }
}

const contestants: readonly Contestant[] = SHAPES.flatMap((shape) => [
  { name: `plain ${shape.name}`, run: () => measure(shape, plain) },
  { name: `codec ${shape.name}`, run: () => measure(shape, codec) },
  { name: `codec in envelope ${shape.name}`, run: () => measure(shape, codecInEnvelope) },
])

/** Encode plus decode of a protocol 2 message against plain JSON and a UUID of the same fields. */
export const codecScenario: Scenario = {
  name: 'codec',
  about: 'Encode plus decode of one message against plain JSON and a UUID of the same fields.',
  rounds: 5,
  contestants,
  goals: SHAPES.map(({ name }) => ({
    name: `${name}: time, of plain JSON`,
    atMost: 1.3,
    value: (sample) => field(sample(`codec ${name}`), 'us') / field(sample(`plain ${name}`), 'us'),
  })),
}
