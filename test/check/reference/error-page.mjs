/** The page `docs/reference/errors.md`. */
export function errorPage(codes, classes) {
  return ''
}
