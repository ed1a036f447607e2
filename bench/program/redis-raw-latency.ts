/**
 * What Redis itself can do for one task at an idle worker: wake-up by a blocking move, a script that claims, and one that
 * stores the result, tells of it and settles. As a program it is that worker: `node redis-raw-latency.js <url>`.
 */
import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { answer, exitOf } from '../harness/child.js'
import { rawEnvelope } from './redis-raw.js'

const program = fileURLToPath(import.meta.url)
const RESULTS = 'celery-task-meta-'
const CLAIM = `
local envelope = redis.call('LPOP', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], '[' .. envelope .. ', "", "celery"]')
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
return envelope
`
const SETTLE = `
redis.call('SET', KEYS[3], ARGV[2], 'EX', 86400)
redis.call('PUBLISH', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
`

/** What to send. */
export interface RawLatencies {
  /** Sent before, without a gap. */
  readonly warmUp: number
  readonly count: number
  readonly gapMs: number
}

/** Send tasks one after the other; milliseconds to each start and each result, those of the warm-up first. */
export async function rawLatencies(
  url: string,
  { warmUp, count, gapMs }: RawLatencies,
): Promise<{ readonly starts: readonly number[]; readonly ends: readonly number[] }> {
  const [redis, heard] = [new Redis(url), new Redis(url)]
  const child = fork(program, [url])
  await answer(child, (message) => message === 'ready')
  let told: (document: string) => void = () => undefined
  heard.on('message', (_channel, document) => told(document))
  const [starts, ends]: [number[], number[]] = [[], []]
  for (let sent = 0; sent < warmUp + count; sent += 1) {
    if (sent >= warmUp) await sleep(gapMs)
    const sentNs = process.hrtime.bigint()
    const channel = RESULTS + String(sent)
    await redis.lpush('celery', withField(rawEnvelope(sent), 'sent', `${sent} ${sentNs}`))
    const document = new Promise<string>((resolve) => {
      told = resolve
    })
    await heard.subscribe(channel)
    const stored = await redis.get(channel)
    const result: unknown = JSON.parse(stored ?? (await document))
    ends.push(Number(process.hrtime.bigint() - sentNs) / 1e6)
    starts.push(numberIn(result))
    await heard.unsubscribe(channel)
  }
  const exited = exitOf(child)
  child.kill()
  await exited
  redis.disconnect()
  heard.disconnect()
  return { starts, ends }
}

async function work(url: string): Promise<void> {
  const [redis, waiting] = [new Redis(url), new Redis(url)]
  const [claim, settle] = [
    String(await redis.script('LOAD', CLAIM)),
    String(await redis.script('LOAD', SETTLE)),
  ]
  await waiting.ping()
  process.send?.('ready')
  for (let tag = 1; ; tag += 1) {
    await waiting.blmove('celery', 'mine', 'RIGHT', 'LEFT', 0)
    const text = await redis.evalsha(claim, 3, 'mine', 'unacked', 'unacked_index', tag, Date.now() / 1000)
    const [id = '', sentNs = '0'] = sentOf(JSON.parse(String(text))).split(' ')
    const result = Number(process.hrtime.bigint() - BigInt(sentNs)) / 1e6
    const document = JSON.stringify({ status: 'SUCCESS', result, traceback: null, task_id: id })
    await redis.evalsha(settle, 3, 'unacked', 'unacked_index', RESULTS + id, tag, document)
  }
}

function withField(envelope: string, name: string, value: string): string {
  return `${envelope.slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`
}

function sentOf(envelope: unknown): string {
  return typeof envelope === 'object' && envelope !== null && 'sent' in envelope ? String(envelope.sent) : ''
}

function numberIn(document: unknown): number {
  return typeof document === 'object' && document !== null && 'result' in document
    ? Number(document.result)
    : Number.NaN
}

if (process.argv[1] === program) await work(process.argv[2] ?? '')
