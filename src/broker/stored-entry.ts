import { isRecord } from '../util/record.js'
import type { StoredEntry } from './contract.js'

/** An entry of beat from what a store keeps: JSON, which somebody may have edited by hand; what is none says nothing. */
export function storedEntry(text: string, lastMs: number | undefined): StoredEntry {
  return { data: parsed(text), version: text, ...(lastMs === undefined ? {} : { lastMs }) }
}

function parsed(text: string): StoredEntry['data'] {
  try {
    const data: unknown = JSON.parse(text)
    return isRecord(data) ? data : {}
  } catch {
    return {}
  }
}
