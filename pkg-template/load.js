// @ts-check
import * as core from './core.js'
import { AuthError } from './errors.js'
import { loadFromWeb } from './load_web.js'

/** What may stand for the wasm: a compiled module, its bytes, or where it is. */
/** @typedef {WebAssembly.Module | BufferSource | URL | string} WasmSource */

/** @type {(source?: WasmSource) => void | Promise<void>} */
let loader = loadFromWeb
let isReady = false
/** @type {Promise<void> | undefined} */
let loading

/**
 * Says how the wasm is loaded; entries for other platforms than the web call it when imported.
 * @param {typeof loader} other
 */
export function useLoader(other) {
  loader = other
}

/**
 * The core, loaded on first use. A failed load is tried anew by the next call.
 * @param {WasmSource} [source]
 * @returns {Promise<typeof core>}
 * @throws {AuthError} `load_failed`
 */
export async function loadCore(source) {
  if (!isReady) {
    loading ??= Promise.resolve()
      .then(() => loader(source))
      .then(
        () => {
          isReady = true
        },
        (error) => {
          loading = undefined
          throw loadFailed(error)
        },
      )
    await loading
  }
  return core
}

/** The core where it is loaded already: after a login it always is. */
export function loadedCore() {
  return core
}

/** @param {unknown} error */
function loadFailed(error) {
  const said = error instanceof Error ? error.message : ''
  const [message, hint] = reason(said)
  return new AuthError({ code: 'load_failed', message, hint, cause: error })
}

/**
 * @param {string} said
 * @returns {[string, string]}
 */
function reason(said) {
  if (typeof WebAssembly === 'undefined') {
    return [
      'there is no WebAssembly here',
      'Lockdown Mode and some in-app views switch it off; Node must not run with --jitless.',
    ]
  }
  if (/unsafe-eval|Content Security Policy|disallowed by embedder/i.test(said)) {
    return [
      'the Content Security Policy of this page blocks WebAssembly',
      "Add 'wasm-unsafe-eval' to its script-src: script-src 'self' 'wasm-unsafe-eval'.",
    ]
  }
  return [
    `the wasm could not be loaded${said === '' ? '' : `: ${said}`}`,
    'core_bg.wasm must lie beside the package’s JavaScript and be served as application/wasm; ' +
      'or hand it over by init(source) before the first call.',
  ]
}
