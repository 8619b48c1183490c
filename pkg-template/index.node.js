// @ts-check
import { channel } from 'node:diagnostics_channel'
import { observe } from './events.js'
import { useLoader } from './load.js'
import { loadFromFile } from './load_node.js'

useLoader(loadFromFile)

const events = channel('keyprotect-auth')
observe(
  (event) => events.publish(event),
  () => events.hasSubscribers,
)

if (globalThis.process?.env.KEYPROTECT_AUTH_DEBUG === '1') {
  observe((event) => {
    const line = { name: 'keyprotect-auth', time: new Date().toISOString(), ...event }
    process.stderr.write(`${JSON.stringify(line)}\n`)
  })
}

export * from './index.js'
