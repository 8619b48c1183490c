// The emulator as a whole: what it hands out, clock, log, signals, origins, strictness.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { createEmulator } from 'keyprotect-auth/emulator'
import {
  API_KEY_GRANT,
  BASE,
  BX,
  CF,
  claims,
  get,
  iamBearer,
  iamTokens,
  NOW,
  post,
  USER,
  uaaTokens,
  world,
} from './emulator-helpers.mjs'

const KEY_FORM = { grant_type: API_KEY_GRANT, apikey: 'emulator-api-key' }

describe('a new emulator', () => {
  test('has what login wants, and friendly defaults', () => {
    const emulator = createEmulator()
    assert.deepEqual(emulator.credential, { apiKey: 'emulator-api-key' })
    assert.deepEqual(emulator.endpoints, { base: BASE })
    assert.equal(emulator.options.endpoints, emulator.endpoints)
    assert.equal(emulator.options.fetch, emulator.fetch)
    assert.equal(emulator.options.clock, emulator.clock)
    const { accounts, users, orgs, spaces, instances } = emulator.data
    assert.equal(accounts[0].name, 'Acme')
    assert.deepEqual([users[0].userName, users[0].password], Object.values(USER))
    assert.deepEqual(
      orgs.map(({ name }) => name),
      ['acme', 'beta'],
    )
    assert.deepEqual(
      spaces.map(({ name, org }) => [orgs.find(({ guid }) => guid === org).name, name]),
      [
        ['acme', 'dev'],
        ['beta', 'dev'],
        ['beta', 'prod'],
      ],
    )
    assert.deepEqual(
      instances.map(({ name, region }) => [name, region]),
      [
        ['kp-demo', 'us-south'],
        ['kp-eu', 'eu-de'],
      ],
    )
  })

  test('is plain data, the same for the same seed and another for another', () => {
    const data = createEmulator().data
    assert.deepEqual(JSON.parse(JSON.stringify(data)), data)
    assert.deepEqual(createEmulator().data, data)
    const other = createEmulator({ data: { seed: 2 } }).data
    assert.notEqual(other.orgs[0].guid, data.orgs[0].guid)
  })

  test('gives the same bytes for the same seed and clock', async () => {
    const [a, b] = await Promise.all([world(), world()].map((one) => iamTokens(one, KEY_FORM, BX)))
    assert.deepEqual(a, b)
    const [c, d] = await Promise.all(
      [world(), world({ now: NOW + 1000 })].map((one) => uaaTokens(one)),
    )
    assert.notEqual(c.access_token, d.access_token)
  })

  test('refuses options and data that it does not know', () => {
    assert.throws(() => createEmulator({ sed: 1 }), /unknown emulator option: sed/)
    assert.throws(() => createEmulator({ data: { org: [] } }), /unknown emulator data: org/)
    assert.throws(() => createEmulator({ now: '2026' }), TypeError)
  })

  test('lays given lists over the defaults and fills in what they leave out', () => {
    const { data } = world({
      data: {
        accounts: [{ name: 'Mine', id: 'f'.repeat(32) }],
        orgs: [{ name: 'solo' }],
        spaces: [
          { name: 'one', org: 'SOLO' },
          { name: 'two', org: 'nowhere' },
        ],
        instances: [
          { name: 'twin' },
          { name: 'twin' },
          { name: 'crn', crn: 'crn:v1:bluemix:public:kms:au-syd:a/abc:1-2-3::' },
        ],
        iam: { uaa: 'absent' },
      },
    })
    assert.equal(data.spaces[0].org, data.orgs[0].guid)
    assert.equal(data.spaces[1].org, 'nowhere')
    assert.notEqual(data.instances[0].guid, data.instances[1].guid)
    assert.equal(
      data.instances[0].crn,
      `crn:v1:bluemix:public:kms:us-south:a/${'f'.repeat(32)}:${data.instances[0].guid}::`,
    )
    const { guid, region, account } = data.instances[2]
    assert.deepEqual({ guid, region, account }, { guid: '1-2-3', region: 'au-syd', account: 'abc' })
    assert.deepEqual(data.iam, {
      uaa: 'absent',
      accessTokenSeconds: 3600,
      refreshTokenSeconds: 2_592_000,
    })
    assert.equal(data.users[0].accounts[0], 'f'.repeat(32))
  })

  test('takes what is pushed into its data from the next request on', async () => {
    const emulator = world()
    emulator.data.apiKeys.push({ key: 'K2' })
    const { access_token: token } = await iamTokens(emulator, { ...KEY_FORM, apikey: 'K2' })
    assert.equal(claims(token).iam_id, emulator.data.users[0].iamId)
  })
})

describe('fetch', () => {
  test('takes an address with options, or a Request, and resolves short addresses', async () => {
    const emulator = world()
    const { fetch } = emulator
    for (const input of [
      `${BASE}/iam/identity/keys`,
      new URL(`${BASE}/iam/identity/keys`),
      new Request(`${BASE}/iam/identity/keys`),
      '/iam/identity/keys',
    ]) {
      assert.equal((await fetch(input)).status, 200)
    }
    const body = new URLSearchParams(KEY_FORM)
    assert.equal((await fetch('/iam/identity/token', { method: 'POST', body })).status, 200)
    const request = new Request(`${BASE}/iam/identity/token`, { method: 'POST', body })
    assert.equal((await fetch(request)).status, 200)
  })

  test('rejects with the reason of its signal, before and during the work', async () => {
    const { fetch } = world()
    const reason = new Error('enough')
    const ended = AbortSignal.abort(reason)
    await assert.rejects(fetch('/iam/identity/keys', { signal: ended }), (e) => e === reason)
    await assert.rejects(
      fetch(new Request(`${BASE}/iam/identity/keys`, { signal: ended })),
      (e) => e === reason,
    )
    const controller = new AbortController()
    const pending = fetch('/iam/identity/keys', { signal: controller.signal })
    controller.abort('text')
    await assert.rejects(pending, (e) => e === 'text')
  })

  test('answers an unknown folder with 404, and a service path with that service’s 404', async () => {
    const emulator = world()
    const nowhere = await get(emulator, '/nowhere/x')
    assert.deepEqual([nowhere.status, nowhere.body], [404, undefined])
    assert.equal((await get(emulator, '/')).status, 404)
    const answers = await Promise.all(
      ['/iam/x', '/uaa/x', '/cf/x', '/kp/x', '/rc/x', '/accounts/x', '/iam'].map((path) =>
        get(emulator, path),
      ),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(7).fill(404),
    )
    const [iam, uaa, cf, kp, rc] = answers.map(({ body }) => body)
    assert.equal(iam.errorCode, 'BXNIM0060E')
    assert.equal(uaa.error, 'not_found')
    assert.equal(cf.errors[0].title, 'CF-NotFound')
    assert.match(kp.resources[0].errorMsg, /^Not Found: /)
    assert.equal(rc.status_code, 404)
  })

  test('builds every link from the address of the request', async () => {
    const emulator = world()
    const at = 'http://127.0.0.1:4711'
    const root = await (await emulator.fetch(`${at}/cf/`)).json()
    assert.equal(root.links.uaa.href, `${at}/uaa`)
    const iam = await (
      await emulator.fetch(`${at}/iam/identity/.well-known/openid-configuration`)
    ).json()
    assert.equal(iam.issuer, `${at}/iam/identity`)
    assert.equal(iam.token_endpoint, `${at}/iam/identity/token`)
    const login = await emulator.fetch(`${at}/uaa/login`, {
      headers: { accept: 'application/json' },
    })
    const { links, prompts } = await login.json()
    assert.deepEqual([links.uaa, links.login], [`${at}/uaa`, `${at}/uaa`])
    assert.match(prompts.passcode[1], /http:\/\/127\.0\.0\.1:4711\/uaa\/passcode/)
  })

  test('works behind a socket', async (t) => {
    const emulator = world()
    const server = createServer(async (incoming, outgoing) => {
      const { method, headers, url } = incoming
      const request = new Request(`http://${headers.host}${url}`, { method, headers })
      const response = await emulator.fetch(request)
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      outgoing.end(Buffer.from(await response.arrayBuffer()))
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const base = `http://127.0.0.1:${server.address().port}`
    const response = await fetch(`${base}/cf/`)
    const { links } = await response.json()
    assert.equal(links.cloud_controller_v3.href, `${base}/cf/v3`)
    assert.equal(response.headers.get('date'), new Date(NOW).toUTCString())
  })
})

describe('the clock', () => {
  test('stands still with `now`, and moves by advance and sleep', async () => {
    const { clock } = world()
    const start = clock.monotonic()
    assert.equal(clock.now(), NOW)
    clock.advance(1500)
    await clock.sleep(500)
    assert.deepEqual([clock.now(), clock.monotonic() - start], [NOW + 2000, 2000])
    assert.throws(() => clock.advance(-1), TypeError)
    assert.throws(() => clock.skew(Number.NaN), TypeError)
  })

  test('wakes sleepers in the order of their ends, whatever the order of their starts', async () => {
    const { clock } = world()
    const woken = []
    const sleep = async (ms) => {
      await clock.sleep(ms)
      woken.push([ms, clock.now() - NOW])
    }
    await Promise.all([sleep(300), sleep(100), sleep(200)])
    assert.deepEqual(woken, [
      [100, 100],
      [200, 200],
      [300, 300],
    ])
  })

  test('rejects a sleep with the reason of its signal, and lets time stand', async () => {
    const { clock } = world()
    const controller = new AbortController()
    const sleeping = clock.sleep(5000, { signal: controller.signal })
    controller.abort('woken')
    await assert.rejects(sleeping, (e) => e === 'woken')
    await assert.rejects(clock.sleep(1, { signal: AbortSignal.abort('no') }), (e) => e === 'no')
    assert.equal(clock.now(), NOW)
  })

  test('without `now` follows real time and what it was moved by', () => {
    const { clock } = createEmulator()
    const before = Date.now()
    clock.advance(3_600_000)
    assert.ok(clock.now() >= before + 3_600_000)
    assert.ok(clock.now() <= Date.now() + 3_600_000)
  })

  test('skew moves the services’ clock alone', async () => {
    const emulator = world()
    emulator.clock.skew(600_000)
    const { headers, body } = await post(emulator, '/iam/identity/token', KEY_FORM)
    assert.equal(emulator.clock.now(), NOW)
    assert.equal(headers.get('date'), new Date(NOW + 600_000).toUTCString())
    assert.equal(claims(body.access_token).iat, NOW / 1000 + 600)
    assert.equal(body.expiration, NOW / 1000 + 600 + 3600)
  })
})

describe('the log', () => {
  test('says what was asked and answered, in an array that can be counted and cleared', async () => {
    const emulator = world()
    await post(emulator, '/iam/identity/token', KEY_FORM)
    await get(emulator, '/cf/v3/organizations/g1?include=org')
    const [first, second] = emulator.requests
    const { service, method, route, grant, status } = first
    assert.deepEqual(
      { service, method, route, grant, status },
      { service: 'iam', method: 'POST', route: '/identity/token', grant: 'apikey', status: 200 },
    )
    assert.deepEqual([second.route, second.status], ['/v3/organizations/{guid}', 401])
    assert.deepEqual(second.query, { include: 'org' })
    assert.equal(emulator.requests.count(), 2)
    assert.equal(emulator.requests.count({ grant: 'apikey' }), 1)
    assert.equal(emulator.requests.count({ form: { grant_type: API_KEY_GRANT } }), 1)
    assert.equal(
      emulator.requests.count((record) => record.status === 401),
      1,
    )
    emulator.requests.clear()
    assert.deepEqual(emulator.requests, [])
  })

  test('holds no secret, and the same fingerprint for the same one', async () => {
    const emulator = world()
    const form = { grant_type: API_KEY_GRANT, apikey: 'SENTINEL-1' }
    await post(emulator, '/iam/identity/token', form, { authorization: 'Bearer SENTINEL-2' })
    await post(emulator, '/uaa/oauth/token?client_secret=SENTINEL-3', [
      ['password', 'SENTINEL-4'],
      ['password', 'SENTINEL-1'],
      ['refresh_token', 'SENTINEL-5'],
      ['passcode', 'SENTINEL-9'],
      ['client_secret', ''],
    ])
    await get(emulator, '/uaa/passcode', { cookie: 'JSESSIONID=SENTINEL-6' })
    await get(emulator, '/kp/api/v2/keys', { authorization: 'SENTINEL-7' })
    await get(emulator, '/uaa/oauth/token/revoke/SENTINEL-8', {}, 'DELETE')
    assert.doesNotMatch(JSON.stringify(emulator.requests), /SENTINEL/)
    const [first, second] = emulator.requests
    assert.match(first.form.apikey, /^fp:[\da-f]{8}$/)
    assert.match(first.headers.authorization, /^Bearer fp:[\da-f]{8}$/)
    assert.equal(second.form.password[1], first.form.apikey)
    assert.equal(second.form.client_secret, '')
  })
})

describe('reset', () => {
  test('goes back to the start: data, logins, passcodes, log and clock', async () => {
    const emulator = world()
    const { orgs } = emulator.data
    const first = await iamTokens(emulator, KEY_FORM, BX)
    const passcode = emulator.passcode()
    orgs.push({ name: 'later' })
    emulator.data.iam.uaa = 'refused'
    emulator.clock.advance(1000)
    emulator.clock.skew(1000)
    emulator.reset()
    assert.equal(emulator.data.orgs, orgs)
    assert.deepEqual(emulator.data, world().data)
    assert.deepEqual([emulator.clock.now(), emulator.requests.length], [NOW, 0])
    const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token }
    const refused = await post(emulator, '/iam/identity/token', form, { authorization: BX })
    assert.equal(refused.body.errorCode, 'BXNIM0407E')
    assert.equal(refused.headers.get('date'), new Date(NOW).toUTCString())
    const used = await uaaTokens(emulator, { grant_type: 'password', passcode })
    assert.equal(used.error_description, 'Invalid passcode')
  })
})

describe('strictness', () => {
  test('with `loose` unknown and repeated parameters pass', async () => {
    const emulator = world({ loose: true })
    const form = [...Object.entries(KEY_FORM), ['hello', '1'], ['hello', '2']]
    assert.equal((await post(emulator, '/iam/identity/token', form)).status, 200)
    const password = { grant_type: 'password', ...USER, hello: '1' }
    const answer = await post(emulator, '/uaa/oauth/token?x=1', password, { authorization: CF })
    assert.equal(answer.status, 200)
    const authorization = await iamBearer(emulator)
    assert.equal(
      (await get(emulator, '/rc/v2/resource_instances?x=1', { authorization })).status,
      200,
    )
  })
})
