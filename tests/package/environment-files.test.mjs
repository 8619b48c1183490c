import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { init, login as signIn } from 'keyprotect-auth'
import { environment, grants, KEY, lacked, USER } from './environment-helpers.mjs'
import { refusal, SENTINEL } from './helpers.mjs'

const NAME = 'ibm-credentials.env'
const LINE = `IBM_KEY_PROTECT_API_APIKEY=${KEY}\n`
/** The one that IBM’s SDK uses. */
const { parse } = createRequire(import.meta.resolve('ibm-cloud-sdk-core'))('dotenv')
/** The packed file itself: what it does with each line is seen beside dotenv. */
const { parseEnv } = await import(
  new URL('node/environment/dotenv.js', import.meta.resolve('keyprotect-auth'))
)

test('IBM_CREDENTIALS_FILE goes before all other variables, and may name a folder', async (t) => {
  const { set, write, login, root, work } = environment(t)
  set({ IBM_KEY_PROTECT_API_APIKEY: SENTINEL, IBMCLOUD_API_KEY: SENTINEL })
  const file = write(join(root, 'creds', NAME), LINE)
  for (const named of [file, join(root, 'creds'), join(root, 'creds/'), '../creds']) {
    set({ IBM_CREDENTIALS_FILE: named })
    assert.deepEqual((await login()).source, { kind: 'env', where: file, tried: [] })
  }
  set({ IBM_CREDENTIALS_FILE: work })
  assert.equal((await refusal(login())).code, 'invalid_input')
})

test('a file that is named and not there ends the search; its name may be a key by mistake', async (t) => {
  const { set, login, root, emulator } = environment(t)
  for (const named of [join(root, SENTINEL), SENTINEL, SENTINEL.repeat(40)]) {
    set({ IBMCLOUD_API_KEY: KEY, IBM_CREDENTIALS_FILE: named })
    const error = await refusal(login())
    assert.equal(error.code, 'invalid_input')
    assert.match(error.message, /IBM_CREDENTIALS_FILE/)
  }
  assert.equal(emulator.requests.length, 0)
})

test('a file that is named, and says nothing of Key Protect, lets the search go on', async (t) => {
  const { set, write, login, root, work } = environment(t)
  write(join(work, NAME), LINE)
  set({ IBM_CREDENTIALS_FILE: write(join(root, 'other.env'), 'CLOUDANT_APIKEY=K\n') })
  const lacking = await refusal(login())
  assert.match(lacking.message, /no IBM_KEY_PROTECT_API_APIKEY in .*other\.env/)
  assert.match(lacking.message, /file: IBM_CREDENTIALS_FILE names another/)
  set({ IBMCLOUD_API_KEY: KEY })
  assert.equal((await login()).source.where, 'IBMCLOUD_API_KEY')
})

test('without it the working directory’s file counts, then the home’s', async (t) => {
  const { write, unset, login, home, work } = environment(t)
  const inHome = write(join(home, NAME), LINE)
  const session = await login()
  assert.equal(session.source.kind, 'file')
  assert.equal(session.source.where, inHome)
  assert.match(lacked(session.source).env, /no IBM_CREDENTIALS_FILE/)
  const inWork = write(join(work, NAME), LINE)
  assert.equal((await login()).source.where, inWork)
  rmSync(inWork)
  unset('HOME')
  assert.match((await refusal(login())).message, /file: no ibm-credentials.env .*no home directory/)
})

test('a working directory that was removed is no reason to fail', async (t) => {
  const { set, login, work } = environment(t)
  rmSync(work, { recursive: true })
  set({ IBMCLOUD_API_KEY: KEY })
  assert.equal((await login()).source.kind, 'env')
})

test('a variable goes before a file that was only found', async (t) => {
  const { set, write, login, work } = environment(t)
  write(join(work, NAME), `IBM_KEY_PROTECT_API_APIKEY=${SENTINEL}`)
  set({ IBMCLOUD_API_KEY: KEY })
  assert.equal((await login()).source.kind, 'env')
})

test('a file is read as it comes: byte order marks, CRLF, comments, quotes, export, other names', async (t) => {
  const { write, login, work, emulator } = environment(t)
  const path = join(work, NAME)
  for (const content of [
    `\uFEFF${LINE}`,
    Buffer.from(`\uFEFF${LINE}`, 'utf16le'),
    `# a comment\r\nOTHER=1\r\n\r\nIBM_KEY_PROTECT_API_APIKEY="${KEY}" # rotated\r\nnot a line\r\n`,
    `export IBM_KEY_PROTECT_API_APIKEY = '${KEY}'`,
    `#IBM_KEY_PROTECT_API_APIKEY=K9\nIBM_KEY_PROTECT_API_APIKEY=${KEY} # new`,
    `IBM_KEY_PROTECT_API_APIKEY=old\rIBM_KEY_PROTECT_API_APIKEY=${KEY}`,
  ]) {
    write(path, content)
    await login()
  }
  assert.equal(grants(emulator).length, 6)
  write(
    path,
    `IBM_KEY_PROTECT_API_USERNAME=${USER.username}\nIBM_KEY_PROTECT_API_PASSWORD="${USER.password}"`,
  )
  await login()
  assert.equal(grants(emulator).at(-1), 'iam password')
})

test('values are read as dotenv reads them, which IBM’s SDK uses', () => {
  for (const rest of [
    '=my=api=key=',
    'a#b',
    '"a#b"',
    '"K1" # rotated',
    "'K1'",
    '`K1`',
    ' K1 ',
    '"',
    '"K1',
    'K1"',
    '""',
    '',
    ' # nothing',
    '"a" b',
    "'a\"b'",
    '"a\'b"',
    'a\tb',
    'ü ',
  ]) {
    const text = `A=1\nIBM_KEY_PROTECT_API_APIKEY=${rest}\nB=2`
    assert.deepEqual(parseEnv(text), parse(text), rest)
  }
  assert.equal(parseEnv(`N=${' '.repeat(500_000)}"`).N, '"')
})

test('a mounted secret is read through its links, and anew at each exchange', async (t) => {
  const { set, write, login, root, emulator } = environment(t)
  write(join(root, 'v1/kp.env'), LINE)
  write(join(root, 'v2/kp.env'), `IBM_KEY_PROTECT_API_APIKEY=emulator-service-api-key`)
  symlinkSync('v1', join(root, '..data'))
  symlinkSync('..data/kp.env', join(root, 'kp.env'))
  set({ IBM_CREDENTIALS_FILE: join(root, 'kp.env') })
  const session = await login()
  const before = (await session.claims()).iam_id
  rmSync(join(root, '..data'))
  symlinkSync('v2', join(root, '..data'))
  await session.refresh()
  assert.notEqual((await session.claims()).iam_id, before)
  write(join(root, 'v2/kp.env'), `A=${SENTINEL}`)
  const error = await refusal(session.refresh())
  assert.equal(error.code, 'invalid_input')
  assert.match(error.message, /kp\.env any more/)
  assert.equal(grants(emulator).length, 2)
})

test('sessions of a file’s key share their tokens in a store with those of the key itself', async (t) => {
  const { write, login, work, emulator, base } = environment(t)
  const { memoryStore } = await import('keyprotect-auth')
  write(join(work, NAME), LINE)
  const store = memoryStore({ clock: emulator.clock })
  const session = await login({ store })
  await login({ store })
  const { fetch, clock } = emulator.options
  await signIn({ apiKey: KEY }, { fetch, clock, store, endpoints: { iam: `${base}/iam` } })
  assert.equal(grants(emulator).length, 1)
  assert.match(session.key, /^h/)
})

test('a folder, a dangling link, a device or 100 MB in a file’s place end the search', async (t) => {
  const { set, write, login, home, work, root, emulator } = environment(t)
  set({ VCAP_SERVICES: `{"kms":[{"name":"kp","credentials":{"apikey":"${KEY}"}}]}` })
  const path = join(work, NAME)
  const places = [path, join(home, '.cf/config.json'), join(home, '.bluemix/config.json')]
  for (const place of places) {
    if (place !== path) set({ VCAP_SERVICES: '' })
    for (const [make, part] of [
      [() => mkdirSync(place, { recursive: true }), 'is a folder'],
      [() => symlinkSync(join(root, 'gone'), place), 'is a link to what is not there'],
      [() => symlinkSync(root, place), 'is a folder'],
      [() => symlinkSync('/dev/zero', place), 'is no regular file'],
      [() => truncateSync(write(place, ''), 100_000_000), 'is too large'],
    ]) {
      write(place, '')
      rmSync(place)
      make()
      const error = await refusal(login())
      assert.equal(error.code, 'invalid_input')
      assert.ok(error.message.includes(part) && error.message.includes(place), error.message)
      rmSync(place, { recursive: true })
    }
  }
  assert.equal(emulator.requests.length, 0)
})

test('a file that this user may not read ends the search', {
  skip: process.platform === 'win32',
}, async (t) => {
  const { set, write, login, home, root, emulator } = environment(t)
  await init()
  const folder = join(home, '.cf')
  write(join(folder, 'config.json'), { RefreshToken: SENTINEL, Target: 'https://api.example.test' })
  for (const each of [root, home]) chmodSync(each, 0o755)
  chmodSync(folder, 0)
  set({ KEYPROTECT_AUTH_SOURCES: 'ibmcloud,cf' })
  // Root may read everything: another user is asked for.
  const isRoot = process.getuid() === 0
  if (isRoot) process.seteuid(65534)
  let error
  try {
    error = await refusal(login())
  } finally {
    if (isRoot) process.seteuid(0)
    chmodSync(folder, 0o700)
  }
  assert.equal(error.code, 'invalid_input')
  assert.match(error.message, /\.cf\/config\.json can’t be read: no permission/)
  assert.equal(emulator.requests.length, 0)
})
