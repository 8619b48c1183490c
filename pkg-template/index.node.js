// @ts-check
import { loadFromFile } from './load/node.js'
import { useLoader } from './load.js'

useLoader(loadFromFile)

export * from './index.js'
