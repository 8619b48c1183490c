import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environment, KEY, lacked, USER } from './environment-helpers.mjs'
import { refusal, SENTINEL } from './helpers.mjs'

const INSTANCE = '6bc3ed5a-0000-4000-8000-000000000001'
const CRN = `crn:v1:bluemix:public:kms:eu-de:a/0123:${INSTANCE}::`
const only = ['vcap']
const services = (value) => ({ VCAP_SERVICES: JSON.stringify(value) })
const kms = (name, credentials = { apikey: KEY }) => ({ label: 'kms', name, tags: [], credentials })

test('a service of the label kms signs in, and its instance becomes the target', async (t) => {
  const { set, login, base } = environment(t)
  for (const [fields, instance] of [
    [{ instance_id: INSTANCE }, { guid: INSTANCE }],
    [{ instance_guid: INSTANCE }, { guid: INSTANCE }],
    [
      { instance_crn: CRN, instance_id: 'other' },
      { guid: INSTANCE, crn: CRN, region: 'eu-de' },
    ],
    [{ instance_id: CRN }, { guid: INSTANCE, crn: CRN, region: 'eu-de' }],
  ]) {
    set(services({ kms: [kms('kp', { apikey: KEY, region: 'us-south', ...fields })] }))
    const session = await login()
    assert.equal(session.source.kind, 'vcap')
    assert.equal(session.source.where, 'VCAP_SERVICES, binding kp')
    assert.deepEqual(session.target().instance, instance)
    assert.equal((await session.headers())['Bluemix-Instance'], INSTANCE)
  }
  const named = await login({ target: { instance: 'kp-demo' } })
  assert.equal(named.target().instance.name, 'kp-demo')
  set(services({ kms: [kms('kp', { iam_apikey: KEY, url: `${base}/kp/api/v2` })] }))
  assert.equal((await login()).target().instance, undefined)
  set(services({ kms: [kms('kp', { ...USER })] }))
  assert.equal((await login()).target().user, USER.username)
})

test('a user-provided service is taken by its name or its tag, another label by IBM’s SDK name', async (t) => {
  const { set, login } = environment(t)
  const credentials = { apikey: KEY }
  for (const [label, entry] of [
    ['user-provided', { name: 'key-protect', tags: [] }],
    ['user-provided', { name: 'kms' }],
    ['user-provided', { name: 'x', binding_name: 'key-protect' }],
    ['user-provided', { name: 'x', tags: ['a', 'kms'] }],
    ['x', { name: 'ibm_key_protect_api' }],
  ]) {
    set(services({ [label]: [{ label, credentials, ...entry }], other: [{ name: 'db' }] }))
    assert.equal((await login({ only })).source.kind, 'vcap')
  }
  for (const [label, entry] of [
    ['user-provided', { name: 'my-keys', tags: ['hsm'] }],
    ['x', { name: 'kms', tags: ['kms'] }],
    ['kms Dedicated', { name: 'kp' }],
  ]) {
    set(services({ [label]: [{ label, credentials, ...entry }] }))
    const { code, message } = await refusal(login({ only }))
    assert.equal(code, 'unavailable')
    assert.ok(message.includes(`${label}/${entry.name}`), message)
  }
})

test('several that fit are ambiguous, and binding names one', async (t) => {
  const { set, login } = environment(t)
  const both = [
    { ...kms('kp-a', { apikey: SENTINEL }), instance_guid: 'g-a' },
    { ...kms('kp-b'), instance_guid: 'g-b' },
  ]
  set(services({ kms: both, 'user-provided': [{ name: 'mine', credentials: { apikey: KEY } }] }))
  const error = await refusal(login())
  assert.equal(error.code, 'ambiguous')
  assert.deepEqual(error.candidates, [
    { guid: 'g-a', name: 'kp-a' },
    { guid: 'g-b', name: 'kp-b' },
  ])
  assert.match(error.hint, /binding/)
  assert.match((await login({ binding: 'kp-b' })).source.where, /kp-b/)
  assert.match((await login({ binding: 'mine' })).source.where, /mine/)
  const missing = await refusal(login({ binding: 'kp-c' }))
  assert.equal(missing.code, 'invalid_input')
  assert.match(missing.hint, /kms\/kp-a, kms\/kp-b, user-provided\/mine/)
  set({ VCAP_SERVICES: '', IBMCLOUD_API_KEY: KEY })
  assert.equal((await login({ binding: 'kp-c' })).source.kind, 'env')
})

test('a binding without credentials that can be used ends the search', async (t) => {
  const { set, login, emulator } = environment(t)
  for (const [credentials, part] of [
    [undefined, 'no credentials'],
    [null, 'no credentials'],
    [SENTINEL, 'no credentials'],
    [{ 'credhub-ref': '/c/broker/kp/B1/credentials' }, 'unresolved reference to CredHub'],
    [{ username: SENTINEL }, 'no apikey'],
    [{ apikey: 5 }, 'no apikey'],
  ]) {
    const { credentials: _, ...bare } = kms('kp')
    set(services({ kms: [{ ...bare, credentials }] }))
    const error = await refusal(login())
    assert.equal(error.code, 'invalid_input')
    assert.ok(error.message.includes(part), error.message)
    assert.ok(error.message.includes('binding kp'), error.message)
  }
  assert.equal(emulator.requests.length, 0)
})

test('what is no list of services is told; empty and odd ones are absent', async (t) => {
  const { set, login } = environment(t)
  for (const text of [`{"kms":"${SENTINEL}`, '[]', '5', 'null']) {
    set({ VCAP_SERVICES: text })
    const error = await refusal(login())
    assert.equal(error.code, 'invalid_input')
    assert.match(error.message, /VCAP_SERVICES is not a JSON object/)
  }
  for (const value of [
    {},
    { kms: [] },
    { kms: [], 'kms Dedicated': [{ name: 'kp' }], y: null, z: 5, x: [null, 5, 'a', {}] },
    { 'user-provided': [{ name: 5, tags: 'kms', credentials: {} }] },
  ]) {
    set(services(value))
    assert.equal((await refusal(login())).code, 'unavailable')
  }
  set({ KEYPROTECT_AUTH_SOURCES: 'vcap' })
  const { message } = await refusal(login())
  assert.match(message, /vcap: no service kms among those bound \(user-provided\/\)/)
  set({ KEYPROTECT_AUTH_SOURCES: '', IBMCLOUD_API_KEY: KEY, VCAP_SERVICES: '{' })
  assert.deepEqual(lacked((await login()).source), {}, 'what comes later is not even read')
})
