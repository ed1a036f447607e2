/**
 * Encode plus decode of a small protocol 2 message, against plain JSON and a UUID of the same fields.
 *
 * Run: `node dist/bench/scenario/codec.js`. Rounds alternate between the two sides; the medians are compared.
 */
import { randomUUID } from 'node:crypto'
import { Codecs } from '../../src/message/codecs.js'
import { decodeTask } from '../../src/message/decode-task.js'
import { EMPTY_EMBED } from '../../src/message/embed.js'
import { encodeTask } from '../../src/message/encode-task.js'
import type { OutgoingTask } from '../../src/message/task-message.js'

const ROUNDS = 41
const MESSAGES_PER_ROUND = 5_000

const SHAPES: readonly {
  readonly name: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
}[] = [
  { name: 'add(5, 10)', args: [5, 10], kwargs: {} },
  {
    name: 'order with 8 fields',
    args: ['order-4711', { items: [1, 2, 3], total: 12.5, paid: false, note: null, tags: ['a', 'b'] }],
    kwargs: { tenant: 'acme', locale: 'en' },
  },
]

type Kwargs = Readonly<Record<string, unknown>>

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

function nanosecondsPerMessage(
  run: (args: readonly unknown[], kwargs: Kwargs) => unknown,
  shape: number,
): number {
  const { args, kwargs } = SHAPES[shape] ?? { args: [], kwargs: {} }
  const start = process.hrtime.bigint()
  for (let count = 0; count < MESSAGES_PER_ROUND; count += 1) run(args, kwargs)
  return Number(process.hrtime.bigint() - start) / MESSAGES_PER_ROUND
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
}

for (const [index, shape] of SHAPES.entries()) {
  const times: Record<'codec' | 'codecInEnvelope' | 'plain', number[]> = {
    codec: [],
    codecInEnvelope: [],
    plain: [],
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    times.codec.push(nanosecondsPerMessage(codec, index))
    times.plain.push(nanosecondsPerMessage(plain, index))
    times.codecInEnvelope.push(nanosecondsPerMessage(codecInEnvelope, index))
  }
  const base = median(times.plain)
  const report = {
    shape: shape.name,
    plainNs: Math.round(base),
    codecNs: Math.round(median(times.codec)),
    codecRatio: Number((median(times.codec) / base).toFixed(2)),
    envelopeNs: Math.round(median(times.codecInEnvelope)),
    envelopeRatio: Number((median(times.codecInEnvelope) / base).toFixed(2)),
  }
  process.stdout.write(`${JSON.stringify(report)}\n`)
}
