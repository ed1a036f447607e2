import { MASK, isSecretName, maskMembers } from '../../util/mask-members.js'
import { maskUrl } from '../../util/mask-url.js'
import { splitUrls } from '../../util/url-list.js'
import { OPTIONS } from './option-table.js'
import { isList } from '../value/shown.js'

/**
 * A setting as it may be printed: secrets replaced, passwords of URLs masked, also inside of objects and lists.
 *
 * Switches are shown whatever their name, and so are numbers of options that are not secret.
 */
export function maskSetting(name: string, value: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value
  const option = OPTIONS.get(name)
  if (option?.secret === true) return MASK
  if (option !== undefined && typeof value === 'number') return value
  if (option?.url === true) return isList(value) ? value.map(maskedUrl) : maskedUrl(value)
  return isSecretName(name) ? MASK : maskMembers(value)
}

function maskedUrl(value: unknown): unknown {
  return typeof value === 'string' ? splitUrls(value).map(maskUrl).join(';') : maskMembers(value)
}
