import { parsedJson } from '../util/parsed-json.js'
import { isRecord } from '../util/record.js'
import type { StoredEntry } from './contract.js'

/** An entry of beat from what a store keeps: JSON, which somebody may have edited by hand; what is none says nothing. */
export function storedEntry(text: string, lastMs: number | undefined): StoredEntry {
  const data = parsedJson(text)
  return { data: isRecord(data) ? data : {}, version: text, ...(lastMs === undefined ? {} : { lastMs }) }
}
