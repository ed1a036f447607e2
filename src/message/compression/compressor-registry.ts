import { ConfigError, DecodeError } from '../../errors/errors.js'
import { suggest } from '../../util/suggest.js'
import {
  BROTLI_COMPRESSOR,
  MISSING_COMPRESSORS,
  ZLIB_COMPRESSOR,
  zstdCompressor,
  type Compressor,
} from './compressor.js'

/** The compressors by alias and MIME name. */
export class CompressorRegistry {
  readonly #byName: Map<string, Compressor> = new Map()
  readonly #maxBytes: () => number

  /** @param maxBytes - Gives the longest decompressed body, in bytes; a longer one is refused, however short it was compressed. */
  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes
    for (const compressor of [ZLIB_COMPRESSOR, BROTLI_COMPRESSOR, zstdCompressor()]) {
      if (compressor) this.register(compressor)
    }
  }

  /** Add a compressor, or replace the one of the same name. */
  register(compressor: Compressor): void {
    for (const name of [...compressor.names, compressor.contentType]) this.#byName.set(name, compressor)
  }

  /** @throws ConfigError when the name is unknown, or names one that this Node has not. */
  get(name: string): Compressor {
    const found = this.#byName.get(name)
    if (found) return found
    throw new ConfigError(`compression "${name}" is not available: ${this.#reason(name)}`)
  }

  /** @throws DecodeError when the compressor is missing, the data are damaged or too long. */
  decompress(name: string, data: Uint8Array): Uint8Array {
    const found = this.#byName.get(name)
    if (!found) throw new DecodeError(`compression "${name}" is not available: ${this.#reason(name)}`)
    try {
      return found.decompress(data, this.#maxBytes())
    } catch (error) {
      throw new DecodeError(`the body cannot be decompressed from ${name}: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  #reason(name: string): string {
    const reason = MISSING_COMPRESSORS.get(name)
    if (reason) return `${reason}; registerCompressor can add it`
    const near = suggest(name, this.#byName.keys())
    return near ? `did you mean "${near}"?` : `known are ${[...this.#byName.keys()].join(', ')}`
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
