// The emulator's UAA: revocation of what it keeps.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  basic,
  CF,
  claims,
  get,
  post,
  USER,
  uaaBearer,
  uaaTokens,
  world,
} from './emulator-helpers.mjs'

const TOKEN = '/uaa/oauth/token'
const PASSWORD = { grant_type: 'password', ...USER }
const refreshWith = (token) => ({ grant_type: 'refresh_token', refresh_token: token })

describe('the revocation', () => {
  test('of a refresh token ends it', async () => {
    const emulator = world()
    const { refresh_token: token } = await uaaTokens(emulator)
    const authorization = await uaaBearer(emulator)
    const revoke = (headers) => get(emulator, `/uaa/oauth/token/revoke/${token}`, headers, 'DELETE')
    assert.equal((await revoke({})).status, 401)
    const { status, text } = await revoke({ authorization })
    assert.deepEqual([status, text], [200, ''])
    const again = await revoke({ authorization })
    assert.deepEqual([again.status, again.body.error], [403, 'insufficient_scope'])
    const after = await post(emulator, TOKEN, refreshWith(token), { authorization: CF })
    assert.deepEqual([after.status, after.body.error], [401, 'invalid_token'])
  })

  test('of a JWT from a refresh, which UAA keeps, ends it at UAA alone', async () => {
    const emulator = world()
    const { refresh_token: token, access_token: first } = await uaaTokens(emulator)
    assert.equal(claims(first).revocable, undefined)
    const { access_token: jwt, jti } = await uaaTokens(emulator, refreshWith(token))
    assert.equal(claims(jwt).revocable, true)
    const authorization = `bearer ${jwt}`
    assert.equal((await get(emulator, '/uaa/userinfo', { authorization })).status, 200)
    const path = `/uaa/oauth/token/revoke/${jti}`
    assert.equal((await get(emulator, path, { authorization }, 'DELETE')).status, 200)
    assert.equal((await get(emulator, '/uaa/userinfo', { authorization })).status, 401)
    // Who but checks the signature knows nothing of it.
    assert.equal((await get(emulator, '/cf/v3/organizations', { authorization })).status, 200)
  })

  test('is for the same client, the same user, and tokens.revoke', async () => {
    const emulator = world()
    const client = (clientId, more) => ({ service: 'uaa', clientId, clientSecret: '', ...more })
    emulator.data.users.push({ userName: 'else', password: 'else' })
    const grants = ['client_credentials']
    const revoker = client('revoker', { grants, authorities: ['tokens.revoke'] })
    emulator.data.clients.push(client('other'), revoker)
    const someone = { grant_type: 'password', username: 'else', password: 'else' }
    const bearerOf = async (form, clientId) => {
      const authorization = basic(clientId, '')
      const { body } = await post(emulator, TOKEN, form, { authorization })
      return `Bearer ${body.access_token}`
    }
    const statusOf = async (form, clientId) => {
      const { refresh_token: token } = await uaaTokens(emulator)
      const headers = { authorization: await bearerOf(form, clientId) }
      const path = `/uaa/oauth/token/revoke/${token}`
      return (await get(emulator, path, headers, 'DELETE')).status
    }
    assert.equal(await statusOf(someone, 'other'), 403)
    assert.equal(await statusOf(someone, 'cf'), 200)
    assert.equal(await statusOf(PASSWORD, 'other'), 200)
    assert.equal(await statusOf({ grant_type: 'client_credentials' }, 'revoker'), 200)
    const authorization = await bearerOf({ grant_type: 'client_credentials' }, 'revoker')
    const none = await get(emulator, '/uaa/oauth/token/revoke/x', { authorization }, 'DELETE')
    assert.deepEqual([none.status, none.body.error], [404, 'invalid_token'])
  })
})
