// Cross-origin answers of the emulator: as the real services give them, or everywhere for demos.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { get, post, world } from './emulator-helpers.mjs'

describe('cross-origin calls', () => {
  const origin = 'https://page.example.test'
  const preflight = (path, method, fields) => [
    path,
    {
      origin,
      'access-control-request-method': method,
      ...(fields ? { 'access-control-request-headers': fields } : {}),
    },
    'OPTIONS',
  ]

  test('are answered by UAA alone, errors too', async () => {
    const emulator = world()
    for (const path of ['/uaa/token_keys', '/uaa/x']) {
      const { headers } = await get(emulator, path, { origin })
      assert.equal(headers.get('access-control-allow-origin'), '*')
    }
    for (const path of [
      '/iam/identity/keys',
      '/cf/',
      '/kp/api/v2/keys',
      '/rc/v2/resource_instances',
    ]) {
      const { headers } = await get(emulator, path, { origin })
      assert.equal(headers.get('access-control-allow-origin'), null)
      const { status } = await get(emulator, ...preflight(path, 'GET', 'authorization'))
      assert.ok(status >= 400, `${path}: ${status}`)
    }
  })

  test('are preflighted at UAA as its filter does', async () => {
    const emulator = world()
    const ask = (...what) => get(emulator, ...preflight('/uaa/oauth/token', ...what))
    const good = await ask('POST', 'authorization, content-type')
    assert.equal(good.status, 200)
    assert.equal(good.headers.get('access-control-max-age'), '1728000')
    assert.equal((await ask('POST')).status, 400)
    const bad = await ask('POST', 'x-cf-encoded-credentials')
    assert.deepEqual([bad.status, bad.text], [403, 'Illegal header requested'])
    assert.equal((await ask('POST', 'x-requested-with')).status, 405)
    assert.equal((await ask('GET', 'x-requested-with')).status, 200)
    const marked = await post(emulator, '/uaa/oauth/token', {}, { origin, 'x-requested-with': 'x' })
    assert.equal(marked.status, 405)
  })

  test('are answered everywhere with `cors`', async () => {
    const emulator = world({ cors: true })
    for (const path of ['/iam/identity/token', '/cf/v3/spaces', '/kp/api/v2/keys']) {
      const asked = await get(emulator, ...preflight(path, 'GET', 'authorization,bluemix-instance'))
      assert.equal(asked.status, 204)
      assert.equal(
        asked.headers.get('access-control-allow-headers'),
        'authorization,bluemix-instance',
      )
      const { headers } = await get(emulator, path, { origin })
      assert.equal(headers.get('access-control-allow-origin'), '*')
    }
  })
})
