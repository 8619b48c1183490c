// The emulator's Resource Controller and Key Protect.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BASE,
  BX,
  get,
  iamBearer,
  iamTokens,
  post,
  USER,
  uaaBearer,
  world,
} from './emulator-helpers.mjs'

const INSTANCES = '/rc/v2/resource_instances'
const KEYS = '/kp/api/v2/keys'
const KEY_PROTECT_ID = 'ee41347f-b18e-4ca6-bf80-b5467c63f9a6'
const namesIn = ({ body }) => body.resources.map(({ name }) => name)

async function reader(emulator) {
  const authorization = await iamBearer(emulator)
  return (path, headers = {}, method) => get(emulator, path, { authorization, ...headers }, method)
}

/** A bearer token of a user who has chosen no account. */
async function withoutAccount(emulator) {
  const { access_token: token } = await iamTokens(emulator, { grant_type: 'password', ...USER }, BX)
  return `Bearer ${token}`
}

describe('the list of instances', () => {
  test('finds one by its exact name, in the Resource Controller’s shape', async () => {
    const emulator = world()
    const [demo] = emulator.data.instances
    const read = await reader(emulator)
    const { status, body } = await read(`${INSTANCES}?name=kp-demo&resource_id=${KEY_PROTECT_ID}`)
    assert.deepEqual([status, body.rows_count, body.next_url], [200, 1, null])
    const [found] = body.resources
    const { id, guid, crn, region_id: region, account_id: account, state, type } = found
    assert.deepEqual(
      [id, guid, crn, region, account, state, type],
      [
        demo.crn,
        demo.guid,
        demo.crn,
        'us-south',
        emulator.data.accounts[0].id,
        'active',
        'service_instance',
      ],
    )
    assert.equal(crn, `crn:v1:bluemix:public:kms:us-south:a/${account}:${guid}::`)
    assert.equal((await read(`${INSTANCES}?name=KP-DEMO`)).body.rows_count, 0)
  })

  test('filters by GUID, group, type and state, leaving out what is dying', async () => {
    const emulator = world()
    const { instances } = emulator.data
    instances.push(
      { name: 'kp-demo', region: 'eu-de', resourceGroup: 'g2' },
      { name: 'dying', state: 'pending_reclamation' },
      { name: 'coming', state: 'provisioning' },
      { name: 'db', resourceId: 'other', service: 'db' },
    )
    const read = await reader(emulator)
    const find = async (query) => namesIn(await read(`${INSTANCES}?${query}`))
    assert.deepEqual(await find(''), ['kp-demo', 'kp-eu', 'kp-demo', 'coming', 'db'])
    assert.deepEqual(await find('name=kp-demo&resource_group_id=g2'), ['kp-demo'])
    assert.deepEqual(await find('state=pending_reclamation'), ['dying'])
    assert.deepEqual(await find(`guid=${instances[1].guid}`), ['kp-eu'])
    assert.deepEqual(await find('type=service_instance&sub_type=db'), ['db'])
    assert.deepEqual(await find('type=x'), [])
  })

  test('cuts a limit to 100 without a word, and goes on by `start` alone', async () => {
    const instances = Array.from({ length: 250 }, (_, i) => ({ name: i % 2 ? 'odd' : 'even' }))
    const emulator = world({ data: { instances } })
    const read = await reader(emulator)
    const first = await read(`${INSTANCES}?limit=5000`)
    assert.equal(first.body.resources.length, 100)
    assert.ok(first.body.next_url.startsWith(`${BASE}${INSTANCES}?start=`))
    let path = `${INSTANCES}?name=odd&limit=60`
    const sizes = []
    while (path) {
      const { body } = await read(path)
      assert.ok(namesIn({ body }).every((name) => name === 'odd'))
      sizes.push(body.rows_count)
      path = body.next_url?.slice(BASE.length)
    }
    assert.deepEqual(sizes, [60, 60, 5])
    const next = (await read(`${INSTANCES}?name=odd&limit=60`)).body.next_url.slice(BASE.length)
    assert.equal((await read(`${next}&name=even&limit=1`)).body.rows_count, 60)
    assert.equal((await read(`${INSTANCES}?start=x`)).status, 400)
  })

  test('is that of the token’s account, and empty for a token without one', async () => {
    const emulator = world()
    emulator.data.instances[0].account = emulator.data.accounts[1].id
    assert.deepEqual(namesIn(await (await reader(emulator))(INSTANCES)), ['kp-eu'])
    const authorization = await withoutAccount(emulator)
    const { status, body } = await get(emulator, INSTANCES, { authorization })
    assert.deepEqual([status, body.rows_count], [200, 0])
  })

  test('is refused without a good IAM token, and with odd parameters', async () => {
    const emulator = world()
    const authorization = await iamBearer(emulator)
    for (const headers of [{}, { authorization: await uaaBearer(emulator) }]) {
      assert.equal((await get(emulator, INSTANCES, headers)).status, 401)
    }
    const read = await reader(emulator)
    for (const query of ['hello=1', 'limit=0', 'name=a&name=b']) {
      const { status, body } = await read(`${INSTANCES}?${query}`)
      assert.deepEqual([status, body.status_code], [400, 400])
    }
    assert.equal((await read(INSTANCES, {}, 'DELETE')).status, 405)
    emulator.clock.advance(3_600_000)
    const headers = { authorization, 'x-correlation-id': 'c-1' }
    const ended = await get(emulator, INSTANCES, headers)
    assert.deepEqual(ended.body, {
      message: 'Token expired at 2026-01-15T13:00:00.000Z',
      code: 401,
      global_transaction_id: 'c-1',
    })
  })
})

test('one instance is read by its GUID or its encoded CRN, in any state', async () => {
  const emulator = world()
  const [demo, eu] = emulator.data.instances
  eu.state = 'pending_reclamation'
  eu.extensions = { endpoints: { public: 'x.kms.appdomain.cloud' } }
  const read = await reader(emulator)
  assert.equal((await read(`${INSTANCES}/${demo.guid}`)).body.name, 'kp-demo')
  const { body } = await read(`${INSTANCES}/${encodeURIComponent(eu.crn)}`)
  assert.deepEqual([body.name, body.state], ['kp-eu', 'pending_reclamation'])
  assert.deepEqual(body.extensions, eu.extensions)
  assert.equal((await read(`${INSTANCES}/x`)).status, 404)
})

describe('the keys of an instance', () => {
  test('come in today’s shape', async () => {
    const emulator = world()
    const [demo] = emulator.data.instances
    const read = await reader(emulator)
    const { status, body, headers } = await read(KEYS, {
      'Bluemix-Instance': demo.guid,
      'Correlation-Id': 'c-1',
    })
    assert.equal(status, 200)
    assert.equal(headers.get('correlation-id'), 'c-1')
    assert.deepEqual(body.metadata, {
      collectionType: 'application/vnd.ibm.kms.key+json',
      collectionTotal: 3,
    })
    const [key] = body.resources
    assert.equal(key.crn, `${demo.crn.slice(0, -2)}:key:${key.id}`)
    assert.deepEqual([key.algorithmBitSize, key.algorithmMetadata.bitLength], [256, '256'])
    assert.deepEqual([key.state, key.extractable, key.imported], [1, false, false])
  })

  test('are cut, counted, filtered and sorted', async () => {
    const emulator = world()
    const [demo] = emulator.data.instances
    demo.keys.push({ name: 'gone', state: 5 }, { name: 'ringed', keyRing: 'r1' })
    const read = await reader(emulator)
    const ask = (query, headers, method) =>
      read(`${KEYS}?${query}`, { 'bluemix-instance': demo.guid, ...headers }, method)
    const find = async (query, headers) => namesIn(await ask(query, headers))
    assert.deepEqual(await find('limit=1&offset=1'), ['demo-standard-key'])
    assert.deepEqual(await find('state=3,5'), ['demo-old-key', 'gone'])
    assert.deepEqual(await find('extractable=true'), ['demo-standard-key'])
    assert.deepEqual(await find('', { 'x-kms-key-ring': 'r1' }), ['ringed'])
    assert.deepEqual(await find('sort=-name&limit=2'), ['ringed', 'demo-standard-key'])
    const head = await ask('', {}, 'HEAD')
    assert.deepEqual([head.status, head.text, head.headers.get('key-total')], [200, '', '4'])
    const beyond = await ask('offset=9')
    assert.deepEqual([beyond.body.metadata.collectionTotal, beyond.body.resources], [0, undefined])
    for (const query of [
      'limit=0',
      'limit=5001',
      'state=9',
      'extractable=1',
      'x=1',
      'limit=1&limit=2',
    ]) {
      const { status, body } = await ask(query)
      assert.equal(status, 400, query)
      assert.match(body.resources[0].errorMsg, /^Bad Request: /)
    }
    assert.equal((await ask('', {}, 'DELETE')).status, 405)
  })

  test('want an instance by GUID, or org and space: not both, not half, not a CRN', async () => {
    const emulator = world()
    const { instances, orgs, spaces } = emulator.data
    const instance = { 'bluemix-instance': instances[0].guid }
    const org = { 'bluemix-org': orgs[0].guid }
    const space = { 'bluemix-space': spaces[0].guid }
    const read = await reader(emulator)
    for (const headers of [
      {},
      org,
      space,
      { ...instance, ...org },
      { ...instance, ...org, ...space },
      { 'bluemix-instance': instances[0].crn },
      { 'bluemix-instance': '' },
    ]) {
      const { status, body } = await read(KEYS, headers)
      assert.equal(status, 400)
      const [{ errorMsg, reasons }] = body.resources
      assert.equal(body.metadata.collectionType, 'application/vnd.ibm.kms.error+json')
      assert.match(errorMsg, /^Bad Request: /)
      assert.equal(reasons[0].status, 400)
    }
  })

  test('are refused without a token that opens this instance here', async () => {
    const emulator = world()
    const [demo, eu] = emulator.data.instances
    const authorization = await iamBearer(emulator)
    const ask = async (headers) => {
      const { status, body } = await get(emulator, KEYS, {
        'bluemix-instance': demo.guid,
        ...headers,
      })
      return [status, body.resources[0].reasons?.[0].code, body.resources[0].errorMsg]
    }
    assert.deepEqual((await ask({})).slice(0, 2), [401, 'UNAUTHORIZED_ERR'])
    assert.deepEqual((await ask({ authorization: 'Bearer x' })).slice(0, 2), [
      400,
      'BEARER_SUB_EXTRACTION_ERR',
    ])
    const noAccess = [
      401,
      undefined,
      'Unauthorized: Either the user does not have access to the specified resource, the resource does not exist, or the region is incorrectly set',
    ]
    const unknown = '00000000-0000-4000-8000-000000000000'
    assert.deepEqual(await ask({ authorization, 'bluemix-instance': unknown }), noAccess)
    assert.deepEqual(await ask({ authorization: await uaaBearer(emulator) }), noAccess)
    assert.deepEqual(await ask({ authorization: await withoutAccount(emulator) }), noAccess)
    demo.state = 'inactive'
    assert.deepEqual(await ask({ authorization }), noAccess)
    demo.state = 'active'
    emulator.data.keyProtect.region = 'us-south'
    assert.deepEqual(await ask({ authorization, 'bluemix-instance': eu.guid }), noAccess)
    assert.equal((await ask({ authorization: authorization.toLowerCase() }))[0], 400)
    emulator.clock.advance(3_600_000)
    assert.deepEqual((await ask({ authorization })).slice(0, 2), [401, 'UNAUTHORIZED_ERR'])
  })
})

describe('the keys of an org and space', () => {
  test('come in the shape of 2017, for a UAA token and for an IAM token', async () => {
    const emulator = world()
    const { orgs, spaces } = emulator.data
    const place = { 'Bluemix-Org': orgs[0].guid, 'Bluemix-Space': spaces[0].guid }
    const tokens = [await uaaBearer(emulator), await withoutAccount(emulator)]
    for (const authorization of tokens) {
      const { status, body } = await get(emulator, KEYS, { authorization, ...place })
      assert.equal(status, 200)
      assert.deepEqual(namesIn({ body }), ['legacy-key', 'legacy-backup-key'])
      const [key] = body.resources
      assert.deepEqual([key.algorithmType, key.algorithmMetadata.mode], ['AES', 'GCM'])
      assert.equal('crn' in key || 'extractable' in key || 'imported' in key, false)
    }
  })

  test('are refused where the space is not the org’s, or not the user’s', async () => {
    const emulator = world()
    const { orgs, spaces } = emulator.data
    const authorization = await uaaBearer(emulator)
    const ask = async (org, space) => {
      const headers = { authorization, 'bluemix-org': org, 'bluemix-space': space }
      return (await get(emulator, KEYS, headers)).status
    }
    assert.equal(await ask(orgs[1].guid, spaces[0].guid), 401)
    assert.equal(await ask('x', 'y'), 401)
    assert.equal(await ask(orgs[0].guid, spaces[0].guid), 200)
    spaces[0].members = ['other@example.com']
    assert.equal(await ask(orgs[0].guid, spaces[0].guid), 401)
  })
})

test('a login by password, its account chosen, reaches the keys', async () => {
  const emulator = world()
  const form = { grant_type: 'password', ...USER, account: emulator.data.accounts[0].id }
  const { body } = await post(emulator, '/iam/identity/token', form, { authorization: BX })
  const { status } = await get(emulator, KEYS, {
    authorization: `Bearer ${body.access_token}`,
    'bluemix-instance': emulator.data.instances[1].guid,
  })
  assert.equal(status, 200)
})
