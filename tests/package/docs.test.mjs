// The pages for users say what the code and the types say.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const types = readFileSync(new URL('types.d.ts', import.meta.resolve('keyprotect-auth')), 'utf8')
const errors = read('docs/errors.md')
const events = read('docs/events.md')

/** What stands in backquotes. */
const quoted = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name)

test('errors.md has one section for each code of the types, and for nothing else', () => {
  const [, union] = /type AuthErrorCode = ([^;]+);/.exec(types)
  const sections = [...errors.matchAll(/^## (.*)$/gm)].map(([, title]) => title)
  assert.deepEqual(
    sections.toSorted(),
    union
      .match(/\w+/g)
      .map((code) => `\`${code}\``)
      .toSorted(),
  )
  for (const section of errors.split(/^## /m).slice(1)) {
    assert.match(section, /^\*\*What leads to it\.\*\* \S/m, section.slice(0, 30))
    assert.match(section, /^\*\*What to do\.\*\* \S/m, section.slice(0, 30))
  }
})

test('errors.md has the codes of the core, and no field that an error has not', () => {
  const core = read('src/error.rs')
  const codes = [...core.matchAll(/=> "([a-z_]+)"/g)].map(([, code]) => code)
  const sections = [...errors.matchAll(/^## `(.*)`$/gm)].map(([, code]) => code)
  assert.deepEqual([...codes, 'load_failed'].toSorted(), sections.toSorted())
  const declared = readFileSync(
    new URL('errors.d.ts', import.meta.resolve('keyprotect-auth')),
    'utf8',
  )
  const [table] = /\| field \|.*?\n\n/s.exec(errors)
  for (const row of table.trim().split('\n').slice(2)) {
    for (const field of quoted(row.split('|')[1])) {
      assert.match(declared, new RegExp(`\\b${field}\\b`), field)
    }
  }
})

/** The sections of errors.md that name a service's code. */
function sectionsNaming(serviceCode) {
  return errors
    .split(/^## /m)
    .slice(1)
    .filter((section) => quoted(section).includes(serviceCode))
    .map((section) => /`(\w+)`/.exec(section)[1])
}

const snake = (name) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

test('each service’s code is named where the core leads it', () => {
  const tables = {
    iam: [read('src/iam/refusal.rs'), /"(BXNIM\w+)",\s*Code::(\w+)/g],
    cf: [read('src/cloud_foundry/refusal.rs'), /"(CF-\w+)",\s*Code::(\w+)/g],
    uaa: [read('src/uaa/refusal.rs'), /"([a-z_-]+)",\s*"[^"]*",\s*Code::(\w+)/g],
  }
  for (const [service, [source, row]] of Object.entries(tables)) {
    const [body] = source.split('#[cfg(test)]')
    const rows = [...body.matchAll(row)]
    assert.ok(rows.length >= 10, service)
    for (const [, serviceCode, code] of rows) {
      assert.ok(sectionsNaming(serviceCode).includes(snake(code)), `${serviceCode} → ${code}`)
    }
    const all = new Set(body.match(/"(BXNIM\w+|CF-\w+)"/g))
    for (const name of all) assert.ok(sectionsNaming(name.slice(1, -1)).length > 0, name)
  }
})

test('errors.md names no code of a service that the core does not know', () => {
  const known = ['iam', 'cloud_foundry', 'uaa'].map((name) => read(`src/${name}/refusal.rs`)).join()
  for (const name of quoted(errors).filter((name) => /^(BXNIM|CF-)/.test(name))) {
    assert.ok(known.includes(`"${name}"`), name)
  }
})

test('events.md has the kinds and fields of the types, and nothing else', () => {
  const [, union] = /type AuthEvent = \{(.*?)\};\n/s.exec(types)
  const kinds = {}
  for (const member of union.split(/\}\s*\|\s*\{/)) {
    const fields = [...member.matchAll(/(\w+\??):/g)].map(([, field]) => field)
    const [, type] = /type: ['"](\w+)['"]/.exec(member)
    kinds[type] = fields.filter((field) => field !== 'type').toSorted()
  }
  const told = {}
  for (const row of events.matchAll(/^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$/gm)) {
    if (row[1] !== 'type') told[row[1]] = quoted(row[2]).toSorted()
  }
  assert.deepEqual(told, kinds)
  const described = [...events.matchAll(/^\| (`[^|]+`) \| [^|]+ \|$/gm)].flatMap(([, cell]) =>
    quoted(cell),
  )
  const fields = new Set(
    Object.values(kinds)
      .flat()
      .map((field) => field.replace('?', '')),
  )
  assert.deepEqual(described.toSorted(), [...fields].toSorted())
})

test('environment.md has the kinds in their order, and the names that are read, and nothing else', () => {
  const page = read('docs/environment.md')
  const search = read('pkg-template/node/environment/search.js')
  const kinds = [...search.matchAll(/\{ kind: '(\w+)', find/g)].map(([, kind]) => kind)
  const told = [...page.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, kind]) => kind)
  assert.deepEqual(told, kinds)
  const names = read('pkg-template/node/environment/names.js')
  const [, properties] = /PROPERTIES = [^[]*\[([^\]]*)\]/.exec(names)
  const known = [...names.replace(properties, '').matchAll(/'([A-Z]+_?[A-Z_]*)'/g)].map(
    ([, name]) => name,
  )
  for (const [, property] of properties.matchAll(/'(\w+)'/g))
    known.push(`IBM_KEY_PROTECT_API_${property}`)
  const shown = quoted(page).filter((name) => /^[A-Z]+(_[A-Z]+)*_?$/.test(name))
  assert.deepEqual(
    [...new Set(shown)].toSorted(),
    [...new Set([...known, 'HOME', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH'])].toSorted(),
  )
})

test('the pages link to what is there', () => {
  for (const path of ['docs/environment.md', 'docs/errors.md', 'docs/events.md', 'SECURITY.md']) {
    for (const [, link] of read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      read(new URL(link, `file:///${path}`).pathname.slice(1))
    }
  }
})
