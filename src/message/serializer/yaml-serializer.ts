import type { DocumentOptions, ParseOptions, SchemaOptions } from 'yaml'
import { DecodeError } from '../../errors/errors.js'
import { plainTree, tidied, type PlainTreeRules } from './plain-tree.js'
import type { Serializer } from './serializer.js'
import { toEncodeError, Unwritable } from './unwritable.js'

const BOOL = 'tag:yaml.org,2002:bool'
const TRUE = /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/
const FALSE = /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/

// YAML 1.1 takes the letters y and n for booleans, and PyYAML, which writes them without quotes, for texts.
const READING: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  intAsBigInt: true,
  logLevel: 'silent',
  customTags: (tags) =>
    tags.map((tag) => {
      if (typeof tag !== 'object' || tag.tag !== BOOL || tag.collection !== undefined) return tag
      return { ...tag, test: tag.test?.test('yes') === true ? TRUE : FALSE }
    }),
}

const RULES: PlainTreeRules = { number: yamlNumber, keepsDates: true }

/**
 * YAML 1.1 in block style with sorted keys, as PyYAML writes it; a tag it does not know is refused when read.
 *
 * @throws when the package `yaml` is not installed.
 * @source kombu 5.6, `kombu/serialization.py`, `register_yaml`.
 */
export async function loadYamlSerializer(): Promise<Serializer> {
  const { parseDocument, stringify } = await import('yaml')
  return {
    name: 'yaml',
    contentType: 'application/x-yaml',
    contentEncoding: 'utf-8',
    encode(value, roots) {
      try {
        const tree = plainTree(value, RULES)
        return stringify(tree, {
          version: '1.1',
          sortMapEntries: true,
          indentSeq: false,
          aliasDuplicateObjects: false,
          lineWidth: 0,
        })
      } catch (error) {
        throw toEncodeError(error, { value, format: 'yaml', roots })
      }
    },
    decode(data) {
      try {
        const text = typeof data === 'string' ? data : Buffer.from(data).toString('utf8')
        const document = parseDocument(text, READING)
        const problem = document.errors[0] ?? document.warnings[0]
        if (problem) throw problem
        return tidied(document.toJS({ maxAliasCount: 100 }))
      } catch (error) {
        throw new DecodeError('the data are not plain YAML', { cause: error })
      }
    },
  }
}

function yamlNumber(value: number | bigint): number | bigint {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Unwritable(`${value} is refused, as in json`)
  return value
}
