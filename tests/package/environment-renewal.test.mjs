import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { environment } from './environment-helpers.mjs'
import { json, jwt, refusal, SENTINEL, serving, tokens } from './helpers.mjs'
import { listener } from './session-helpers.mjs'

/** An IAM that counts its refresh tokens: each grant gives the next. */
async function rotating(t, env) {
  const [sent, others, refuse] = [[], [], new Set(['dead'])]
  const server = await serving(t, ({ form, path }) => {
    if (path !== '/identity/token') {
      others.push(path)
      return json({})
    }
    sent.push(form.refresh_token)
    if (refuse.has(form.refresh_token)) {
      return json({ errorCode: 'BXNIM0407E', errorMessage: 'no' }, { status: 400 })
    }
    const access_token = jwt({ session_id: 'S', jti: `A${sent.length}` })
    return json(tokens({ access_token, refresh_token: `R${sent.length}` }))
  })
  const write = (IAMRefreshToken, more) =>
    env.write(join(env.home, '.bluemix/config.json'), {
      IAMEndpoint: server.url,
      IAMRefreshToken,
      Account: { GUID: 'acc' },
      ...more,
    })
  env.unset('IBMCLOUD_IAM_API_ENDPOINT')
  return { sent, others, refuse, write, options: { fetch: undefined, clock: env.emulator.clock } }
}

test('the file is read again before a renewal: the CLI’s newer token goes first', async (t) => {
  const env = environment(t)
  const { sent, write, options } = await rotating(t, env)
  write('F1')
  const session = await env.login(options)
  await session.refresh()
  write('F2')
  await session.refresh()
  await session.refresh()
  write('')
  await session.refresh()
  assert.deepEqual(sent, ['F1', 'R1', 'F2', 'R3', 'R4'])
})

test('an event says when the CLI’s copy has gone stale, once', async (t) => {
  const env = environment(t)
  const { write, options } = await rotating(t, env)
  const where = write('F1')
  const { of, onEvent } = listener()
  const session = await env.login({ ...options, onEvent })
  await session.refresh()
  const taken = { type: 'source', kind: 'ibmcloud', where, isStale: false }
  assert.deepEqual(of('source'), [taken, { ...taken, isStale: true }])
})

test('a file that is another’s login by now is not used, and the one that is held goes on', async (t) => {
  const env = environment(t)
  const { sent, write, options } = await rotating(t, env)
  const token = (iam_id) => ({ IAMToken: `Bearer ${jwt({ iam_id })}` })
  write('F1', token('a'))
  const session = await env.login(options)
  const others = [
    { Account: { GUID: 'other' } },
    { IAMEndpoint: 'https://iam.example.test' },
    token('b'),
  ]
  for (const other of others) {
    write(SENTINEL, other)
    await session.refresh()
  }
  write('F2', token('a'))
  await session.refresh()
  write('F3', { IAMToken: 'opaque' })
  await session.refresh()
  assert.deepEqual(sent, ['F1', 'R1', 'R2', 'R3', 'F2', 'F3'])
})

test('a borrowed login that is refused is not sent twice', async (t) => {
  const env = environment(t)
  const { sent, write, options } = await rotating(t, env)
  const path = write('dead')
  const error = await refusal(env.login(options))
  assert.ok(['expired', 'invalid_credentials'].includes(error.code), error.code)
  assert.ok(error.hint.includes(path))
  assert.deepEqual(sent, ['dead'])
})

test('what is held and refused is the end, where the file has nothing newer', async (t) => {
  const env = environment(t)
  const { sent, refuse, write, options } = await rotating(t, env)
  write('F1')
  const session = await env.login(options)
  refuse.add('R1')
  assert.equal((await refusal(session.refresh())).code, 'expired')
  assert.deepEqual(sent, ['F1', 'R1'])
})

test('a borrowed login can’t repeat itself, and is kept alive while it is used', async (t) => {
  const env = environment(t)
  const { write, others, options } = await rotating(t, env)
  write('F1')
  const session = await env.login(options)
  await session.refresh()
  for (let turn = 0; turn < 100 && others.length < 2; turn += 1) {
    await new Promise((done) => setTimeout(done, 10))
  }
  assert.deepEqual(others, Array(2).fill('/v1/sessions/S/state'))
})

test('a login that was signed out at the CLI before the first exchange is told', async (t) => {
  const env = environment(t)
  const { write, options, sent } = await rotating(t, env)
  write('F1')
  const store = {
    get: async () => void write(''),
    set: async () => {},
    delete: async () => {},
  }
  const error = await refusal(env.login({ ...options, store }))
  assert.equal(error.code, 'expired')
  assert.match(error.hint, /ibmcloud login/)
  assert.deepEqual(sent, [])
})
