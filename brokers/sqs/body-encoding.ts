const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** An envelope as the body of a message, as kombu's option `sqs_base64_encoding` says. */
export function encodeBody(envelope: string, isBase64: boolean): string {
  return isBase64 ? Buffer.from(envelope).toString('base64') : envelope
}

/**
 * The text in the body of a message: decoded if it is base64 whose content is UTF-8, else as it is.
 *
 * @source kombu 5.7, `kombu/transport/SQS`, `Channel._optional_b64_decode`.
 */
export function decodeBody(body: string): string {
  const candidate = body.trim()
  if (candidate.startsWith('{')) return body
  const bytes = Buffer.from(candidate, 'base64')
  // Node passes over what is not base64: only what comes out the same was.
  if (bytes.toString('base64') !== candidate) return body
  try {
    return strict.decode(bytes)
  } catch {
    return body
  }
}
