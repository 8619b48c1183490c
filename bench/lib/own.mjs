// `node --expose-gc own.mjs SUBJECT EXPORT`: a subject that measures itself. The export gives what to
// print, and its figures.
import { writeSync } from 'node:fs'
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'

const [, , file, name] = argv
const { [name]: measure } = await import(pathToFileURL(file).href)
const { prints, figures } = await measure()
writeSync(1, String(prints))
writeSync(3, JSON.stringify(figures))
