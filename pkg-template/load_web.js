// @ts-check
/** @import { WasmSource } from './load.js' */
import { initSync } from './core.js'

const MAGIC = [0x00, 0x61, 0x73, 0x6d]

/**
 * Loads the wasm by `fetch`: streaming where the server names the media type, else from bytes.
 * @param {WasmSource} [source]
 */
export async function loadFromWeb(source) {
  initSync({ module: checked(await compile(source)) })
}

/**
 * A module that is ours: another one could not be taken back once it is in place.
 * @param {WebAssembly.Module} module
 */
export function checked(module) {
  if (WebAssembly.Module.exports(module).some(({ name }) => name === 'decide')) return module
  throw new Error('it is another program than core_bg.wasm')
}

/**
 * @param {WasmSource} [source]
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source
  if (source !== undefined && typeof source !== 'string' && !(source instanceof URL)) {
    return WebAssembly.compile(source)
  }
  const url = source ?? new URL('./core_bg.wasm', import.meta.url)
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered with status ${response.status}`)
  if (response.headers.get('content-type') === 'application/wasm') {
    return WebAssembly.compileStreaming(response)
  }
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) {
    const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'))
    throw new Error(`${url} is not wasm (it begins with ${first.join(' ')})`)
  }
  return WebAssembly.compile(bytes)
}
