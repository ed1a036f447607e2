/**
 * Keep the SDK from warning the process, on Node 20, that its versions from 2027 on want Node 22: a worker's output is its
 * log. The documentation of the broker says so in its place; a variable that is set already stays as it is.
 */
export function quietSdk(): void {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'
  // eslint-disable-next-line no-restricted-properties -- the SDK asks nowhere else
  process.env[name] ??= 'true'
}
