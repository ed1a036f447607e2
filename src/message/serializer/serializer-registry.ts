import { ConfigError, ContentDisallowedError } from '../../errors/errors.js'
import { suggest } from '../../util/suggest.js'
import { loadMsgpackSerializer } from './msgpack-serializer.js'
import type { Serializer } from './serializer.js'
import { loadYamlSerializer } from './yaml-serializer.js'

/** MIME types that may be decoded. */
export type AcceptedContent = ReadonlySet<string>

interface OptionalSerializer {
  readonly name: string
  readonly contentType: string
  readonly packageName: string
  load(): Promise<Serializer>
}

const OPTIONAL: readonly OptionalSerializer[] = [
  { name: 'yaml', contentType: 'application/x-yaml', packageName: 'yaml', load: loadYamlSerializer },
  {
    name: 'msgpack',
    contentType: 'application/x-msgpack',
    packageName: '@msgpack/msgpack',
    load: loadMsgpackSerializer,
  },
]

const PICKLE: readonly string[] = ['pickle', 'application/x-python-serialize']

/** The serializers by name and MIME type. Optional ones are there once they were prepared. */
export class SerializerRegistry {
  readonly #byName: Map<string, Serializer> = new Map()

  /** Add a serializer, or replace the one of the same name. */
  register(serializer: Serializer): void {
    refusePickle(serializer.name)
    refusePickle(serializer.contentType)
    this.#byName.set(serializer.name, serializer)
    this.#byName.set(serializer.contentType, serializer)
  }

  /**
   * Load the packages that these serializers need; the rest is synchronous afterwards. Names of ready ones are
   * passed over.
   *
   * @throws ConfigError when a package is not installed, or a name is unknown or pickle.
   */
  async prepare(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      this.contentTypeOf(name)
      const optional = optionalNamed(name)
      if (optional && !this.#byName.has(name)) this.register(await loaded(optional))
    }
  }

  /** @throws ConfigError when the name is unknown, pickle, or not prepared. */
  get(name: string): Serializer {
    const found = this.#byName.get(name)
    if (found) return found
    this.contentTypeOf(name)
    throw new ConfigError(
      `the serializer "${name}" is not loaded; name it in the configuration, so that it is prepared`,
    )
  }

  /**
   * The MIME types behind names and MIME types, as in `acceptContent`.
   *
   * @throws ConfigError when one is unknown, or pickle.
   */
  accept(names: Iterable<string>): AcceptedContent {
    return new Set(Array.from(names, (name) => this.contentTypeOf(name)))
  }

  /**
   * The serializer that reads a content type, if it is accepted.
   *
   * @throws ContentDisallowedError otherwise, before anything is decoded.
   */
  reader(contentType: string, accepted: AcceptedContent): Serializer {
    const type = accepted.has(contentType) ? contentType : bare(contentType)
    if (PICKLE.includes(type))
      throw new ContentDisallowedError(`content of type ${type} is never read: pickle runs code`)
    const found = accepted.has(type) ? this.#byName.get(type) : undefined
    if (found) return found
    const reason = accepted.has(type)
      ? 'its package was not loaded'
      : `acceptContent has ${[...accepted].join(', ')}`
    throw new ContentDisallowedError(`content of type "${contentType}" is refused: ${reason}`)
  }

  /** @throws ConfigError when the name is unknown, or pickle. */
  contentTypeOf(name: string): string {
    refusePickle(name)
    const known = this.#byName.get(name) ?? optionalNamed(name)
    if (known) return known.contentType
    const names = [...this.#byName.keys(), ...OPTIONAL.map((optional) => optional.name)]
    const near = suggest(name, names)
    throw new ConfigError(
      `unknown serializer "${name}"; ${near ? `did you mean "${near}"?` : `known are ${names.join(', ')}`}`,
    )
  }
}

function refusePickle(name: string): void {
  if (!PICKLE.includes(name)) return
  throw new ConfigError(`"${name}" is never read or written: a pickled message can run any code; use json`)
}

function optionalNamed(name: string): OptionalSerializer | undefined {
  return OPTIONAL.find((optional) => optional.name === name || optional.contentType === name)
}

async function loaded(optional: OptionalSerializer): Promise<Serializer> {
  const { name, packageName } = optional
  try {
    return await optional.load()
  } catch (error) {
    const message = `the serializer "${name}" needs the package "${packageName}"; run: npm install ${packageName}`
    throw new ConfigError(message, { cause: error })
  }
}

function bare(contentType: string): string {
  return contentType.replace(/;.*/s, '').trim().toLowerCase()
}
