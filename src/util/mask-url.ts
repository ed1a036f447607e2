const SCHEME = /^\s*[a-z][a-z0-9+.-]*:\/\//i
// A URL inside of a text begins after one of these; anywhere else `://` may be part of a password.
const URL_START = /(?<=^|[\s"'`([<{;,=])([a-z][a-z0-9+.-]*:\/\/)/gim
const SECRET_WORDS =
  '[a-z0-9_-]*(?:password|passwd|secret|token|credential)[a-z0-9_-]*|pass|pwd|auth|api_?key|sentinel_kwargs|authmechanismproperties'
const SECRET_PARAMETER = new RegExp(`([?&;](?:${SECRET_WORDS})=)[^&]+`, 'gi')
const SECRET_PARAMETER_IN_TEXT = new RegExp(`([?&;](?:${SECRET_WORDS})=)[^&\\s"']+`, 'gi')

/**
 * One URL with its password replaced by `**`, and secrets in its query too.
 *
 * Everything up to the last at sign is user information, so that a password with a raw slash, question mark, hash or
 * space is masked whole. A text without a scheme is masked the same way.
 */
export function maskUrl(url: string): string {
  const head = SCHEME.exec(url)?.[0] ?? ''
  return (head + maskUserInfo(url.slice(head.length))).replace(SECRET_PARAMETER, '$1**')
}

/** A text with every URL in it masked as {@link maskUrl} does; a text without a URL comes back as it is. */
export function maskUrls(text: string): string {
  const parts = text.split(URL_START)
  // Odd parts are schemes, each followed by the text up to the next one.
  const masked = parts.map((part, index) => (index > 0 && index % 2 === 0 ? maskFirstLine(part) : part))
  return masked.join('').replace(SECRET_PARAMETER_IN_TEXT, '$1**')
}

function maskFirstLine(text: string): string {
  const end = text.indexOf('\n')
  return end < 0 ? maskUserInfo(text) : maskUserInfo(text.slice(0, end)) + text.slice(end)
}

/** A text that begins with a slash is a path: `sqlite:////home/me@work/file.db` names no user. */
function maskUserInfo(rest: string): string {
  const at = rest.startsWith('/') ? -1 : rest.lastIndexOf('@')
  const colon = rest.indexOf(':')
  return colon < 0 || colon > at ? rest : `${rest.slice(0, colon)}:**${rest.slice(at)}`
}
