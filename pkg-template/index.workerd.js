// @ts-check
import { initSync } from './core.js'
// @ts-expect-error workerd compiles no bytes at run time: the module is imported.
import module from './core_bg.wasm'
import { useLoader } from './load.js'

useLoader(() => {
  initSync({ module })
})

export * from './index.js'
