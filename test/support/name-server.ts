import { createSocket, type Socket } from 'node:dgram'

const TYPES = { TXT: 16, SRV: 33 } as const

/** What a {@link NameServer} knows: targets by service name, and texts. */
export interface NameRecords {
  readonly srv: Readonly<Record<string, readonly { readonly name: string; readonly port: number }[]>>
  readonly txt: Readonly<Record<string, string>>
}

/** A DNS server on a port of its own that answers SRV and TXT questions; `await using` ends it. */
export class NameServer implements AsyncDisposable {
  /** What it was asked. */
  readonly asked: string[] = []
  readonly #socket: Socket
  readonly #records: NameRecords

  private constructor(socket: Socket, records: NameRecords) {
    this.#socket = socket
    this.#records = records
    socket.on('message', (question, from) => {
      socket.send(this.#answer(question), from.port, from.address)
    })
  }

  static async open(records: NameRecords): Promise<NameServer> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    return new NameServer(socket, records)
  }

  /** For `dns.setServers`. */
  get address(): string {
    return `127.0.0.1:${String(this.#socket.address().port)}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }

  #answer(question: Buffer): Buffer {
    const { name, end } = nameAt(question, 12)
    const type = question.readUInt16BE(end)
    this.asked.push(name)
    const values = this.#values(name, type)
    const head = Buffer.from(question.subarray(0, 12))
    // A standard answer; of questions one, of answers so many.
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(values.length, 6)
    head.writeUInt32BE(0, 8)
    const records = values.map((value) => {
      const record = Buffer.alloc(12)
      // The name of the question, class IN, a minute.
      record.writeUInt16BE(0xc00c, 0)
      record.writeUInt16BE(type, 2)
      record.writeUInt16BE(1, 4)
      record.writeUInt32BE(60, 6)
      record.writeUInt16BE(value.length, 10)
      return Buffer.concat([record, value])
    })
    return Buffer.concat([head, question.subarray(12, end + 4), ...records])
  }

  #values(name: string, type: number): readonly Buffer[] {
    const text = this.#records.txt[name]
    if (type === TYPES.TXT) return text === undefined ? [] : [label(text)]
    if (type !== TYPES.SRV) return []
    return (this.#records.srv[name] ?? []).map(({ name: target, port }) => {
      const numbers = Buffer.alloc(6)
      numbers.writeUInt16BE(port, 4)
      return Buffer.concat([numbers, ...target.split('.').map(label), Buffer.from([0])])
    })
  }
}

function label(text: string): Buffer {
  return Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)])
}

function nameAt(packet: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = from
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.subarray(at + 1, at + 1 + length).toString())
    at += 1 + length
  }
  return { name: labels.join('.'), end: at + 1 }
}
