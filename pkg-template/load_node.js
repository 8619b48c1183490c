// @ts-check
/** @import { WasmSource } from './load.js' */
import { readFileSync } from 'node:fs'
import { initSync } from './core.js'
import { checked, loadFromWeb } from './load_web.js'

/**
 * Loads the wasm from its file, at once: the async way would load all of Node's fetch first.
 * @param {WasmSource} [source]
 * @returns {void | Promise<void>}
 */
export function loadFromFile(source) {
  if (source instanceof WebAssembly.Module) {
    initSync({ module: checked(source) })
    return undefined
  }
  if (/^https?:/.test(String(source))) return loadFromWeb(source)
  const place = source ?? new URL('./core_bg.wasm', import.meta.url)
  const isPlace = place instanceof URL || typeof place === 'string'
  const bytes = isPlace ? readFileSync(place) : place
  initSync({ module: checked(new WebAssembly.Module(/** @type {BufferSource} */ (bytes))) })
  return undefined
}
