/** Turns values into bytes and back, under the names the wire knows it by. */
export interface Serializer {
  /** What users write in `serializer` and `acceptContent`. */
  readonly name: string
  /** MIME type, written into each message. */
  readonly contentType: string
  /** `utf-8` for text, `binary` for bytes. */
  readonly contentEncoding: string
  /**
   * Write a value; text is sent as UTF-8.
   *
   * @param roots - Names of the elements of an outer array, for the path in an error (`args[1].socket`).
   * @throws EncodeError when the value cannot be written so that it reads back the same.
   */
  encode(value: unknown, roots?: readonly string[]): string | Uint8Array
  /**
   * Read a value.
   *
   * @param data - Text where `contentEncoding` names a text encoding, bytes otherwise.
   * @throws DecodeError when the data are not in this format.
   */
  decode(data: string | Uint8Array): unknown
}
