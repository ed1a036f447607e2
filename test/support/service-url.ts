/**
 * Which servers a test may use: those that the runner found or started, or that the developer named.
 *
 * The entries stand in `test/support/service/`; a variable is `LOVAGE_TEST_<NAME>_URL`.
 */

/** The URL of a service, or undefined when it is not there: then the test is skipped. */
export function serviceUrl(name: string): string | undefined {
  const url = process.env[`LOVAGE_TEST_${name.toUpperCase().replaceAll('-', '_')}_URL`]
  return url === '' ? undefined : url
}
