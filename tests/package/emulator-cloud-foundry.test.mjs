// The emulator's Cloud Controller: root, lists, encodings, refusals.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BASE,
  basic,
  get,
  iamBearer,
  post,
  USER,
  uaaBearer,
  uaaTokens,
  world,
} from './emulator-helpers.mjs'

const ORGS = '/cf/v3/organizations'
const SPACES = '/cf/v3/spaces'

/** @returns a function that reads a path with a good token */
async function reader(emulator, form) {
  const authorization = await uaaBearer(emulator, form)
  return (path, headers = {}) => get(emulator, path, { authorization, ...headers })
}

const namesIn = ({ body }) => body.resources.map(({ name }) => name)

function refusedAs({ status, body, headers }, expected, code, title) {
  const [error] = body.errors
  assert.deepEqual([status, error.code, error.title], [expected, code, title])
  assert.match(headers.get('x-vcap-request-id'), /[\da-f-]{36}$/)
  return error.detail
}

describe('the root', () => {
  test('names login and UAA, version 3 and no version 2, without a token', async () => {
    const emulator = world()
    for (const path of ['/cf', '/cf/']) {
      const { status, body } = await get(emulator, path)
      assert.equal(status, 200)
      const { links } = body
      assert.equal(links.self.href, `${BASE}/cf`)
      assert.deepEqual(links.cloud_controller_v3, {
        href: `${BASE}/cf/v3`,
        meta: { version: '3.228.0' },
      })
      assert.equal('cloud_controller_v2' in links, false)
      assert.equal(links.login.href, `${BASE}/uaa`)
      assert.equal(links.uaa.href, `${BASE}/uaa`)
      assert.equal(links.credhub, null)
    }
    const { body: info } = await get(emulator, '/cf/v3/info')
    assert.equal(info.links.self.href, `${BASE}/cf/v3/info`)
    const { body: v3 } = await get(emulator, '/cf/v3')
    assert.equal(v3.links.spaces.href, `${BASE}/cf/v3/spaces`)
  })

  test('has nothing at version 2 or at paths and methods that it does not know', async () => {
    const emulator = world()
    refusedAs(await get(emulator, '/cf/v2/info'), 404, 10000, 'CF-NotFound')
    refusedAs(await get(emulator, '/cf/v2/organizations'), 404, 10000, 'CF-NotFound')
    refusedAs(await post(emulator, ORGS, {}), 404, 10000, 'CF-NotFound')
  })
})

describe('a list', () => {
  test('has the controller’s shape for organizations', async () => {
    const emulator = world()
    const [acme] = emulator.data.orgs
    const read = await reader(emulator)
    const { status, body, headers } = await read(`${ORGS}?names=acme&per_page=1&page=1`)
    assert.equal(status, 200)
    assert.equal(headers.get('x-user-guid'), emulator.data.users[0].guid)
    const href = `${BASE}/cf/v3/organizations?names=acme&page=1&per_page=1`
    assert.deepEqual(body.pagination, {
      total_results: 1,
      total_pages: 1,
      first: { href },
      last: { href },
      next: null,
      previous: null,
    })
    const [{ relationships, links, ...org }] = body.resources
    assert.deepEqual(org, {
      guid: acme.guid,
      created_at: '2026-01-02T03:04:05Z',
      updated_at: '2026-01-02T03:04:05Z',
      name: 'acme',
      suspended: false,
      metadata: { labels: {}, annotations: {} },
    })
    assert.match(relationships.quota.data.guid, /^[\da-f-]{36}$/)
    assert.deepEqual(Object.keys(links), ['self', 'domains', 'default_domain', 'quota'])
  })

  test('has the controller’s shape for spaces, with each org once where asked', async () => {
    const emulator = world()
    const [acme, beta] = emulator.data.orgs
    const read = await reader(emulator)
    const { body } = await read(`${SPACES}?names=dev,prod&include=organization`)
    assert.deepEqual(namesIn({ body }), ['dev', 'dev', 'prod'])
    const [{ relationships, links }] = body.resources
    assert.deepEqual(relationships, {
      organization: { data: { guid: acme.guid } },
      quota: { data: null },
    })
    assert.equal(links.apply_manifest.method, 'POST')
    assert.deepEqual(
      body.included.organizations.map(({ guid }) => guid),
      [acme.guid, beta.guid],
    )
    const one = await read(`${SPACES}?names=dev&organization_guids=${beta.guid}&include=org`)
    assert.equal(one.body.resources[0].guid, emulator.data.spaces[1].guid)
    assert.equal(
      (await read(`${SPACES}?guids=${emulator.data.spaces[2].guid}`)).body.included,
      undefined,
    )
  })

  test('finds names without case, and nothing for an unknown or an empty one', async () => {
    const read = await reader(world())
    assert.deepEqual(namesIn(await read(`${ORGS}?names=ACME`)), ['acme'])
    for (const names of ['nope', '']) {
      const { status, body } = await read(`${ORGS}?names=${names}`)
      assert.deepEqual([status, body.resources, body.pagination.total_pages], [200, [], 1])
    }
  })

  test('decodes each name twice, as the server does', async () => {
    const names = ['my,org', 'my', 'org', '50% off', '50%25 off', ' lead', 'a+b', 'é', 'dev team']
    const emulator = world({ data: { orgs: names.map((name) => ({ name })) } })
    const read = await reader(emulator)
    const find = async (query) => namesIn(await read(`${ORGS}?names=${query}`))
    assert.deepEqual(await find('my%252Corg'), ['my,org'])
    assert.deepEqual(await find('my,org'), ['my', 'org'])
    assert.deepEqual(await find('my%2C%20%20org'), ['my', 'org'])
    assert.deepEqual(await find('50%2525%20off'), ['50% off'])
    assert.deepEqual(await find('50%252525%20off'), ['50%25 off'])
    assert.deepEqual(await find('my,%20lead'), ['my'])
    assert.deepEqual(await find('my,%2520lead'), ['my', ' lead'])
    assert.deepEqual(await find('a%2Bb'), ['a+b'])
    assert.deepEqual(await find('a%252Bb'), ['a+b'])
    assert.deepEqual(await find('%C3%A9'), ['é'])
    assert.deepEqual(await find('dev+team'), ['dev team'])
  })

  test('goes page by page, with links that keep the query', async () => {
    const orgs = Array.from({ length: 5 }, (_, i) => ({ name: `o${i}` }))
    const emulator = world({ data: { orgs } })
    const read = await reader(emulator)
    let path = `${ORGS}?per_page=2&order_by=-name`
    const seen = []
    while (path) {
      const { body } = await read(path)
      seen.push(...namesIn({ body }))
      assert.equal(body.pagination.total_pages, 3)
      path = body.pagination.next?.href.slice(BASE.length)
      if (path) assert.match(path, /order_by=-name/)
    }
    assert.deepEqual(seen, ['o4', 'o3', 'o2', 'o1', 'o0'])
    const comma = await read(`${ORGS}?names=a%252Cb&per_page=1`)
    assert.match(comma.body.pagination.first.href, /names=a%252Cb&/)
  })

  test('compares instants, exactly or with an operator', async () => {
    const orgs = [
      { name: 'old', createdAt: '2020-01-01T00:00:00Z' },
      { name: 'new', createdAt: '2025-01-01T00:00:00Z' },
    ]
    const read = await reader(world({ data: { orgs } }))
    const find = async (query) => namesIn(await read(`${ORGS}?${query}`))
    assert.deepEqual(await find('created_ats=2020-01-01T00:00:00Z'), ['old'])
    assert.deepEqual(await find('created_ats[gt]=2020-01-01T00:00:00Z'), ['new'])
    assert.deepEqual(await find('updated_ats[lte]=2020-01-01T00:00:00Z'), ['old'])
    refusedAs(await read(`${ORGS}?created_ats[x]=1`), 400, 10005, 'CF-BadQueryParameter')
  })

  test('shows members what they may see, and no more', async () => {
    const emulator = world()
    emulator.data.orgs[0].members = ['Somebody@example.com']
    emulator.data.spaces[2].members = ['somebody@example.com']
    const [acme] = emulator.data.orgs
    const read = await reader(emulator)
    assert.deepEqual(namesIn(await read(ORGS)), ['beta'])
    assert.deepEqual(namesIn(await read(SPACES)), ['dev'])
    assert.deepEqual(namesIn(await read(`${ORGS}?names=acme`)), [])
    refusedAs(await read(`${ORGS}/${acme.guid}`), 404, 10010, 'CF-ResourceNotFound')
    emulator.data.users.push({ userName: 'somebody@example.com', password: 'p' })
    const form = { grant_type: 'password', username: 'somebody@example.com', password: 'p' }
    const theirs = await reader(emulator, form)
    assert.deepEqual(namesIn(await theirs(ORGS)), ['acme', 'beta'])
  })

  test('is refused with parameters that are unknown, repeated or out of bounds', async () => {
    const read = await reader(world())
    const bad = async (path) => refusedAs(await read(path), 400, 10005, 'CF-BadQueryParameter')
    assert.match(
      await bad(`${ORGS}?hello=1`),
      /^The query parameter is invalid: Unknown query parameter\(s\): 'hello'\. Valid parameters are: 'page'/,
    )
    await bad(`${ORGS}?organization_guids=x`)
    await bad(`${ORGS}?include=org`)
    await bad(`${SPACES}?fields[x]=y`)
    await bad(`${SPACES}?include=x`)
    await bad(`${ORGS}?names=a&names=b`)
    await bad(`${ORGS}?order_by=guid`)
    for (const query of ['per_page=0', 'per_page=5001', 'per_page=x', 'page=0', 'page=-1']) {
      await bad(`${ORGS}?${query}`)
    }
    assert.equal((await read(`${ORGS}?per_page=5000`)).status, 200)
  })
})

describe('one organization or space', () => {
  test('is read by its GUID, a space with its org where asked', async () => {
    const emulator = world()
    const { orgs, spaces } = emulator.data
    const read = await reader(emulator)
    assert.equal((await read(`${ORGS}/${orgs[1].guid}`)).body.name, 'beta')
    const { body } = await read(`${SPACES}/${spaces[1].guid}?include=organization`)
    assert.equal(body.name, 'dev')
    assert.equal(body.included.organizations[0].guid, orgs[1].guid)
    const detail = (answer) => refusedAs(answer, 404, 10010, 'CF-ResourceNotFound')
    assert.equal(detail(await read(`${ORGS}/x`)), 'Organization not found')
    assert.equal(detail(await read(`${SPACES}/x`)), 'Space not found')
  })
})

describe('the controller refuses', () => {
  test('a call without a token, and one with another, an ended or a foreign token', async () => {
    const emulator = world()
    const ask = (authorization) => get(emulator, ORGS, authorization ? { authorization } : {})
    refusedAs(await ask(), 401, 10002, 'CF-NotAuthenticated')
    const invalid = async (value) => refusedAs(await ask(value), 401, 1000, 'CF-InvalidAuthToken')
    await invalid('bearer x')
    await invalid(await iamBearer(emulator))
    const good = await uaaBearer(emulator)
    assert.equal((await ask(good.replace('bearer', 'BEARER'))).status, 200)
    await invalid(`${good.slice(0, -4)}AAAA`)
    const elsewhere = await emulator.fetch(`http://127.0.0.1:1${ORGS}`, {
      headers: { authorization: good },
    })
    assert.equal(elsewhere.status, 401)
    emulator.clock.advance(1_200_000)
    await invalid(good)
  })

  test('a token whose scope is too small', async () => {
    const emulator = world()
    emulator.data.clients.push({
      service: 'uaa',
      clientId: 'narrow',
      clientSecret: 'n',
      scope: ['cloud_controller.write'],
    })
    const { body } = await post(
      emulator,
      '/uaa/oauth/token',
      { grant_type: 'password', ...USER },
      { authorization: basic('narrow', 'n') },
    )
    const authorization = `bearer ${body.access_token}`
    refusedAs(await get(emulator, ORGS, { authorization }), 403, 10003, 'CF-NotAuthorized')
  })

  test('a request line or a header above 8 KiB, with a page', async () => {
    const emulator = world()
    const read = await reader(emulator)
    const line = (length) => {
      const start = `${ORGS}?names=`
      return start + 'a'.repeat(length - `GET ${start} HTTP/1.1`.length)
    }
    assert.equal((await read(line(8192))).status, 200)
    const long = await read(line(8193))
    assert.deepEqual([long.status, long.headers.get('content-type')], [414, 'text/html'])
    const { access_token: token } = await uaaTokens(emulator)
    const big = await get(emulator, ORGS, { authorization: `bearer ${token}${'A'.repeat(8192)}` })
    assert.deepEqual([big.status, big.headers.get('content-type')], [400, 'text/html'])
  })

  test('nothing without saying which request it was', async () => {
    const { headers } = await get(world(), ORGS, { 'x-vcap-request-id': 'mine !1' })
    assert.match(headers.get('x-vcap-request-id'), /^mine1::[\da-f-]{36}$/)
  })
})
