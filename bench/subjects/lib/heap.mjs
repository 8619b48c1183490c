// What is held after the garbage is gone. Needs --expose-gc.

/** @returns {Promise<number>} bytes of the JavaScript heap */
export async function heapBytes() {
  // What finalizers and settled promises still hold goes in a later turn.
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc()
  }
  return process.memoryUsage().heapUsed
}

/** @returns {Promise<number>} bytes of the core's memory, which must be loaded */
export async function wasmBytes() {
  const core = new URL('core.js', import.meta.resolve('keyprotect-auth'))
  const { initSync } = await import(core.href)
  return initSync().memory.buffer.byteLength
}
