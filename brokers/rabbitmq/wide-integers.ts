import type { ChannelModel } from 'amqplib'

const HEADER_FRAME = 2
const FRAME_HEAD = 7

/** The parts of the library's connection that are replaced here. */
interface FrameReader {
  rest: Buffer
  recvFrame: () => unknown
}

/**
 * Let a connection read 64-bit integers as Python writes them.
 *
 * py-amqp tags integers of more than 32 bits `L`, which the client library does not know: it would give the connection up,
 * and the message would do the same to the next one. Such a frame is read again with the tag that the library knows.
 *
 * @source py-amqp 5.3, `amqp/serialization.py`, `_write_item`.
 */
export function readWideIntegers(model: ChannelModel): void {
  const reader: unknown = model.connection
  if (!isFrameReader(reader)) return
  const receive = reader.recvFrame.bind(reader)
  reader.recvFrame = () => {
    const before = reader.rest
    try {
      return receive()
    } catch (error) {
      if (!(error instanceof TypeError) || !error.message.includes('type tag "L"')) throw error
      reader.rest = retagged(before)
      return receive()
    }
  }
}

function isFrameReader(value: unknown): value is FrameReader {
  return typeof value === 'object' && value !== null && 'recvFrame' in value && 'rest' in value
}

/** The bytes from a message's header frame on, with every `L` in its table as `l`. */
function retagged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  if (copy[0] !== HEADER_FRAME) return copy
  // Class, weight and size of the body, then flags, and before the table only content type and encoding.
  let offset = FRAME_HEAD + 12
  const flags = copy.readUInt16BE(offset)
  offset += 2
  for (const flag of [0x8000, 0x4000]) if ((flags & flag) !== 0) offset += 1 + copy.readUInt8(offset)
  if ((flags & 0x2000) !== 0) retagTable(copy, offset)
  return copy
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
