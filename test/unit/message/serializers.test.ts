import { describe, expect, it } from '@jest/globals'
import { ConfigError, ContentDisallowedError, DecodeError, EncodeError } from '../../../src/errors/errors.js'
import { Codecs } from '../../../src/message/codecs.js'
import { createResultCodec } from '../../../src/message/result-codec.js'
import type { Serializer } from '../../../src/message/serializer/serializer.js'
import { recordedMessages } from './vectors.js'

const codecs = new Codecs()
await codecs.serializers.prepare(['yaml', 'application/x-msgpack'])
const all = codecs.serializers.accept(['json', 'yaml', 'msgpack'])

function roundTrip(name: string, value: unknown): unknown {
  const serializer = codecs.serializers.get(name)
  const data = serializer.encode(value)
  return codecs.decode(typeof data === 'string' ? Buffer.from(data) : data, serializer, all)
}

const PLAIN = {
  texts: [
    '',
    'é🌿',
    'yes',
    'no',
    'on',
    'null',
    '~',
    '012',
    '1e3',
    '1:30',
    '2024-01-01',
    '<<',
    'a: b',
    '- x',
    '#',
    ' x ',
  ],
  numbers: [
    0,
    -1,
    1.5,
    1e-7,
    2 ** 31,
    -(2 ** 31),
    2 ** 40,
    -(2 ** 40),
    Number.MAX_SAFE_INTEGER,
    127,
    128,
    65_536,
  ],
  others: [true, false, null, [], {}, [[[]]]],
  bytes: Buffer.from([0, 255]),
  long: 'word '.repeat(100),
}

describe.each([['yaml'], ['msgpack']])('%s', (name) => {
  it('brings plain data back as they were', () => {
    const value = roundTrip(name, PLAIN)

    expect(value).toEqual({ ...PLAIN, bytes: expect.anything() })
    expect(Buffer.from(Reflect.get(Object(value), 'bytes'))).toEqual(PLAIN.bytes)
  })

  it('writes what is undefined as JSON does', () => {
    expect(roundTrip(name, { a: undefined, b: [undefined] })).toEqual({ b: [null] })
  })

  it('keeps integers beyond 2^53', () => {
    expect(roundTrip(name, [2n ** 60n, -(2n ** 60n), 5n])).toEqual([2n ** 60n, -(2n ** 60n), 5])
  })

  it.each([[() => 1], [Number.NaN], [new Map()], [Symbol('s')], [new (class Socket {})()]])(
    'refuses %p',
    (value) => {
      const write = (): unknown => codecs.serializers.get(name).encode([[value]], ['args'])

      expect(write).toThrow(EncodeError)
      expect(write).toThrow('args[0]')
    },
  )

  it('refuses a circle', () => {
    const circle: unknown[] = []
    circle.push(circle)

    expect(() => roundTrip(name, circle)).toThrow(EncodeError)
  })

  it('writes a recorded message in the same bytes', () => {
    const recorded = recordedMessages('celery-5.6.3/redis-messages').filter(
      ({ file }) => file === `serializer-${name}`,
    )

    for (const { message } of recorded) {
      const value = codecs.decode(message.body, message, all)
      const again = codecs.serializers.get(name).encode(value)
      expect(Buffer.from(again).toString('latin1')).toBe(Buffer.from(message.body).toString('latin1'))
    }
    expect(recorded).toHaveLength(1)
  })
})

describe('what a serializer refuses to read', () => {
  const read = (name: string, data: string | Buffer): unknown =>
    codecs.decode(Buffer.from(data), codecs.serializers.get(name), all)

  it.each([
    ['a Python object', '!!python/object/apply:os.system ["true"]'],
    ['broken YAML', 'a: [1'],
    [
      'an alias bomb',
      'a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c]\ne: [*d,*d,*d,*d]',
    ],
    ['a deep nest', '['.repeat(10_000)],
  ])('YAML: %s', (_name, data) => {
    expect(() => read('yaml', data)).toThrow(DecodeError)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a text', Buffer.from([0xa5, 0x61])],
    ['two values', Buffer.from([1, 2])],
    ['a deep nest', Buffer.alloc(100_000, 0x91)],
    ['an array longer than the data', Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
  ])('msgpack: %s', (_name, data) => {
    expect(() => read('msgpack', data)).toThrow(DecodeError)
  })

  it('y and n in YAML are texts, as for PyYAML; yes and off are booleans', () => {
    expect(read('yaml', 'n: y\nx: yes\nz: off\n')).toEqual({ n: 'y', x: true, z: false })
  })

  it('a prototype key is dropped', () => {
    expect(read('yaml', '__proto__: {polluted: 1}\na: 2')).toEqual({ a: 2 })
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })
})

describe('registered serializers', () => {
  const rot: Serializer = {
    name: 'reversed',
    contentType: 'application/x-reversed',
    contentEncoding: 'utf-8',
    encode: (value) => [...JSON.stringify(value)].toReversed().join(''),
    decode: (data) => JSON.parse([...String(data)].toReversed().join('')) as unknown,
  }

  it('are used by name and by MIME type', () => {
    const own = new Codecs()
    own.registerSerializer(rot)
    const result = createResultCodec('reversed', own)

    const encoded = result.encode({ a: 1 })

    expect(encoded).toEqual({
      contentType: 'application/x-reversed',
      contentEncoding: 'utf-8',
      data: '}1:"a"{',
    })
    expect(result.decode(encoded)).toEqual({ a: 1 })
    expect(() => result.decode({ ...encoded, data: 'junk' })).toThrow(DecodeError)
  })

  it('cannot be pickle', () => {
    expect(() => {
      codecs.registerSerializer({ ...rot, name: 'pickle' })
    }).toThrow(ConfigError)
  })

  it('an optional one says so until it was prepared', () => {
    expect(() => new Codecs().serializers.get('yaml')).toThrow(/not loaded/)
  })

  it('preparing an unknown one is an error', async () => {
    await expect(new Codecs().serializers.prepare(['xml'])).rejects.toThrow(ConfigError)
  })
})

describe('acceptContent', () => {
  it.each([
    ['application/x-yaml', 'a: 1'],
    ['application/x-msgpack', Buffer.from([0x81, 0xa1, 0x61, 0x01])],
    ['yaml', 'a: 1'],
  ])('refuses %s where it lists only json, although it could be read', (contentType, data) => {
    const json = codecs.serializers.accept(['json'])
    const decode = (accepted: typeof json): unknown => codecs.decode(data, { contentType }, accepted)

    expect(() => decode(json)).toThrow(ContentDisallowedError)
    if (contentType !== 'yaml') expect(decode(all)).toEqual({ a: 1 })
  })
})

describe('the result codec', () => {
  it('reads the text of any accepted serializer', () => {
    const result = createResultCodec('json', codecs, all)

    expect(result.encode({ a: new Date(0) }).data).toContain('"__type__": "datetime"')
    expect(
      result.decode({ contentType: 'application/x-yaml', contentEncoding: 'utf-8', data: 'a: 1' }),
    ).toEqual({ a: 1 })
  })

  it('names the path in a result that cannot be written', () => {
    const write = (): unknown => createResultCodec('json', codecs).encode({ socket: () => 1 })

    expect(write).toThrow(EncodeError)
    expect(write).toThrow('value.socket')
  })
})
