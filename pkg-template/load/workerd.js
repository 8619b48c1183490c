// @ts-check
import { initSync } from '../core.js'
// @ts-expect-error workerd compiles no bytes at run time: the module is imported.
import module from '../core_bg.wasm'

/** Hands over the module that the platform compiled. */
export function loadFromImport() {
  initSync({ module })
}
