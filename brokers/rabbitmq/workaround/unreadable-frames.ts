import type { ChannelModel } from 'amqplib'
import { toError } from '../../../src/util/to-error.js'
import { UNREADABLE } from '../marks.js'

const HEADER_FRAME = 2
const FRAME_HEAD = 7
/** Behind class, weight and size of the body. */
const FLAGS_AT = FRAME_HEAD + 12

/** The parts of the library's connection that are replaced here. */
interface FrameReader {
  rest: Buffer
  recvFrame: () => unknown
}

/**
 * Let a connection survive messages that the client library cannot read: it would give the connection up, and the message
 * would do the same to the next one.
 *
 * - py-amqp tags integers of more than 32 bits `L`, which the library does not know. Such a frame is read again with the tag
 *   that it knows.
 * - Headers that it cannot read at all, nested 20,000 deep or of an unknown type, are left out, and a header says so.
 *
 * @source py-amqp 5.3, `amqp/serialization.py`, `_write_item`.
 */
export function readEveryMessage(model: ChannelModel): void {
  const reader: unknown = model.connection
  if (!isFrameReader(reader)) return
  const receive = reader.recvFrame.bind(reader)
  reader.recvFrame = () => {
    const before = reader.rest
    try {
      return receive()
    } catch (error) {
      if (before[0] !== HEADER_FRAME || !isWhole(before)) throw error
      const isWide = error instanceof TypeError && error.message.includes('type tag "L"')
      try {
        reader.rest = isWide ? retagged(before) : withoutTable(before, toError(error))
        return receive()
      } catch (other) {
        reader.rest = withoutTable(before, toError(other))
        return receive()
      }
    }
  }
}

function isFrameReader(value: unknown): value is FrameReader {
  return typeof value === 'object' && value !== null && 'recvFrame' in value && 'rest' in value
}

/** Whether a frame has come to its end: only then is what it holds at fault. */
function isWhole(bytes: Buffer): boolean {
  return bytes.length >= FRAME_HEAD + 1 && bytes.length > FRAME_HEAD + bytes.readUInt32BE(3)
}

/** Where the table of headers begins, in a message's header frame; undefined where it has none. */
function tableAt(frame: Buffer): number | undefined {
  const flags = frame.readUInt16BE(FLAGS_AT)
  if ((flags & 0x2000) === 0) return undefined
  let offset = FLAGS_AT + 2
  for (const flag of [0x8000, 0x4000]) if ((flags & flag) !== 0) offset += 1 + frame.readUInt8(offset)
  return offset
}

/** The bytes from a message's header frame on, with every `L` in its table as `l`. */
function retagged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const start = tableAt(copy)
  if (start !== undefined) retagTable(copy, start)
  return copy
}

/** The bytes from a message's header frame on, with a table that only says why it replaces the one that was there. */
function withoutTable(bytes: Buffer, error: Error): Buffer {
  const start = tableAt(bytes)
  if (start === undefined) throw error
  const end = start + 4 + bytes.readUInt32BE(start)
  const table = tableOf(UNREADABLE, error.message.slice(0, 200))
  const head = Buffer.from(bytes.subarray(0, start))
  head.writeUInt32BE(bytes.readUInt32BE(3) - (end - start) + table.length, 3)
  return Buffer.concat([head, table, bytes.subarray(end)])
}

/** A table of one text. */
function tableOf(name: string, text: string): Buffer {
  const [key, value] = [Buffer.from(name), Buffer.from(text)]
  const table = Buffer.alloc(4 + 1 + key.length + 1 + 4 + value.length)
  table.writeUInt32BE(table.length - 4)
  table.writeUInt8(key.length, 4)
  key.copy(table, 5)
  table.write('S', 5 + key.length, 'latin1')
  table.writeUInt32BE(value.length, 6 + key.length)
  value.copy(table, 10 + key.length)
  return table
}

/** @returns where the table ends. */
function retagTable(bytes: Buffer, start: number): number {
  const end = start + 4 + bytes.readUInt32BE(start)
  let offset = start + 4
  while (offset < end) {
    offset += 1 + bytes.readUInt8(offset)
    offset = retagValue(bytes, offset)
  }
  return end
}

function retagArray(bytes: Buffer, start: number): number {
  const end = start + 4 + bytes.readUInt32BE(start)
  let offset = start + 4
  while (offset < end) offset = retagValue(bytes, offset)
  return end
}

/** Bytes behind the tag of a value whose length does not vary. */
const WIDTHS: Readonly<Record<string, number>> = {
  V: 0,
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  D: 5,
  d: 8,
  l: 8,
  L: 8,
  T: 8,
}

function retagValue(bytes: Buffer, offset: number): number {
  const tag = bytes.toString('latin1', offset, offset + 1)
  if (tag === 'F') return retagTable(bytes, offset + 1)
  if (tag === 'A') return retagArray(bytes, offset + 1)
  if (tag === 'L') bytes.write('l', offset, 'latin1')
  const width = WIDTHS[tag]
  return offset + 1 + (width ?? 4 + bytes.readUInt32BE(offset + 1))
}
