/**
 * What Redis itself can do with Celery's messages: one script for a batch of 100 that settles the last and claims the next,
 * two batches under way, the envelope and the body decoded.
 */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Sample } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { serverCpuUs } from './redis-place.js'
import { benchMessage } from './sqlite-raw.js'

const BATCH = 100
const DRAIN = `
local acked = tonumber(ARGV[1])
if acked > 0 then
  local tags = {}
  for i = 1, acked do tags[i] = ARGV[3 + i] end
  redis.call('HDEL', KEYS[2], unpack(tags))
  redis.call('ZREM', KEYS[3], unpack(tags))
  for i = 1, acked do
    local document = ARGV[3 + acked + i]
    if document then
      redis.call('SET', 'celery-task-meta-' .. tags[i], document, 'EX', 86400)
      redis.call('PUBLISH', 'celery-task-meta-' .. tags[i], document)
    end
  end
end
local popped = redis.call('RPOP', KEYS[1], ${BATCH})
if not popped then return {} end
local fields, scores = {}, {}
for i, envelope in ipairs(popped) do
  local tag = ARGV[2] .. i
  fields[2 * i - 1], fields[2 * i] = tag, '[' .. envelope .. ', "", "celery"]'
  scores[2 * i - 1], scores[2 * i] = ARGV[3], tag
end
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('ZADD', KEYS[3], unpack(scores))
return popped
`
const DOCUMENT =
  '{"status":"SUCCESS","result":null,"traceback":null,"children":[],"date_done":"2026-01-01T00:00:00+00:00","task_id":"x"}'

/** The envelope that `noop.delay(index)` puts into a list. */
export function rawEnvelope(index: number): string {
  const { headers, properties, body } = benchMessage(index)
  return JSON.stringify({
    body: Buffer.from(body).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers,
    properties: {
      ...properties,
      delivery_mode: 2,
      delivery_info: { exchange: '', routing_key: 'celery' },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: randomUUID(),
    },
  })
}

/** What to drain. */
export interface RawDrain {
  /** Messages that are drained first and not measured. */
  readonly warmUp: number
  readonly count: number
  readonly hasResults: boolean
}

/** Drain what was pushed before, with or without results. */
export async function rawDrain(url: string, { warmUp, count, hasResults }: RawDrain): Promise<Sample> {
  const redis = new Redis(url)
  for (let from = 0; from < warmUp + count; from += 1000) {
    await redis.lpush('celery', ...Array.from({ length: 1000 }, (_, index) => rawEnvelope(from + index)))
  }
  const sha = String(await redis.script('LOAD', DRAIN))
  let before = await serverCpuUs(redis)
  const stopwatch = new Stopwatch()
  let batches = 0
  let decoded = 0
  const lane = async (): Promise<void> => {
    let tags: string[] = []
    for (;;) {
      batches += 1
      const prefix = `${batches}.`
      const documents = hasResults ? tags.map(() => DOCUMENT) : []
      const keys = ['celery', 'unacked', 'unacked_index']
      const score = Date.now() / 1000
      const popped = await redis.evalsha(sha, 3, ...keys, tags.length, prefix, score, ...tags, ...documents)
      if (!Array.isArray(popped) || (popped.length === 0 && tags.length === 0)) break
      tags = popped.map((_, index) => prefix + String(index + 1))
      for (const text of popped) {
        decoded += await handle(String(text))
        if (decoded !== warmUp) continue
        before = await serverCpuUs(redis)
        stopwatch.restart()
      }
    }
  }
  await Promise.all([lane(), lane()])
  const sample = stopwatch.read(count)
  if (decoded !== warmUp + count) throw new Error(`Drained ${decoded} of ${warmUp + count}.`)
  const serverUs = ((await serverCpuUs(redis)) - before) / count
  redis.disconnect()
  return { ...sample, serverUs }
}

/** Decode one message; a promise, as a worker's task is one. */
export async function handle(text: string): Promise<number> {
  const envelope: unknown = JSON.parse(text)
  if (typeof envelope !== 'object' || envelope === null || !('body' in envelope)) return 0
  const parsed: unknown = JSON.parse(Buffer.from(String(envelope.body), 'base64').toString())
  return Array.isArray(parsed) ? 1 : 0
}

/** Push built messages, 100 under way, their commands in shared packets. */
export async function rawEnqueue(url: string, count: number): Promise<Sample> {
  const redis = new Redis(url, { enableAutoPipelining: true })
  const send = async (total: number): Promise<void> => {
    let sent = 0
    const sendOn = async (): Promise<void> => {
      while (sent < total) {
        sent += 1
        await redis.lpush('celery', rawEnvelope(sent))
      }
    }
    await Promise.all(Array.from({ length: 100 }, sendOn))
  }
  return timed(redis, send, count)
}

/** Push built messages, 1,000 with a command. */
export async function rawBulk(url: string, count: number): Promise<Sample> {
  const redis = new Redis(url)
  const send = async (total: number): Promise<void> => {
    for (let from = 0; from < total; from += 1000)
      await redis.lpush('celery', ...Array.from({ length: 1000 }, (_, index) => rawEnvelope(from + index)))
  }
  return timed(redis, send, count)
}

async function timed(redis: Redis, send: (total: number) => Promise<void>, count: number): Promise<Sample> {
  await send(5_000)
  const before = await serverCpuUs(redis)
  const stopwatch = new Stopwatch()
  await send(count)
  const sample = stopwatch.read(count)
  const serverUs = ((await serverCpuUs(redis)) - before) / count
  redis.disconnect()
  return { ...sample, serverUs }
}
