// @ts-check
/** What needs Node's own modules (Node, Deno, Bun). */
export { nodeHandler } from './handler.js'
export { serve } from './serve.js'
