// The password may hold anything, so it ends at the last @ before a path or query; without a scheme nothing is a URL.
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#]*)@/gi
const SECRET_PARAMETER =
  /([?&;](?:[a-z0-9_-]*(?:password|passwd|secret|token)[a-z0-9_-]*|pass|pwd|auth|api_?key)=)[^&;#\s]+/gi

/**
 * A text with the password of every URL in it replaced by `**`, and those in query parameters too.
 *
 * A broken URL is masked as far as it can be recognised; a text without a URL comes back as it is.
 */
export function maskUrl(text: string): string {
  return text.replace(USER_INFO, maskUserInfo).replace(SECRET_PARAMETER, '$1**')
}

function maskUserInfo(_match: string, scheme: string, userInfo: string): string {
  const colon = userInfo.indexOf(':')
  return colon < 0 ? `${scheme}${userInfo}@` : `${scheme}${userInfo.slice(0, colon)}:**@`
}
