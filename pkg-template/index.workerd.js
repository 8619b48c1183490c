// @ts-check
import { loadFromImport } from './load/workerd.js'
import { useLoader } from './load.js'

useLoader(loadFromImport)

export * from './index.js'
