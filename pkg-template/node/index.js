// @ts-check
/** What needs Node's own modules (Node, Deno, Bun). */
export { loginFromEnvironment } from './environment.js'
export { nodeHandler } from './handler.js'
export { serve } from './serve.js'
/** @typedef {import('../types.js').EnvironmentKind} EnvironmentKind */
/** @typedef {import('../types.js').EnvironmentOptions} EnvironmentOptions */
