import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStore } from 'keyprotect-auth'
import { assertNoSecret, SENTINEL, stoppedClock } from './helpers.mjs'

function world() {
  const clock = stoppedClock()
  return { clock, store: memoryStore({ clock }) }
}

test('a record is there with what is left of its time, also where the clock is set back, and then no more', async () => {
  const { clock, store } = world()
  assert.equal(await store.get('k'), undefined)
  await store.set('k', 'text', { ttlMs: 1000 })
  assert.deepEqual(await store.get('k'), { text: 'text', ttlMs: 1000 })
  clock.wall -= 5000
  clock.mono += 400
  assert.deepEqual(await store.get('k'), { text: 'text', ttlMs: 600 })
  await store.set('k', 'other', { ttlMs: 700 })
  assert.deepEqual(await store.get('k'), { text: 'other', ttlMs: 700 })
  assert.equal(await store.get('k2'), undefined)
  clock.mono += 699
  assert.equal((await store.get('k')).ttlMs, 1)
  clock.mono += 1
  assert.equal(await store.get('k'), undefined)
  clock.mono -= 100
  assert.equal(await store.get('k'), undefined, 'what has ended is gone')
})

test('a record ends while the machine sleeps and the monotonic clock stands still', async () => {
  const { clock, store } = world()
  await store.set('k', 'text', { ttlMs: 1000 })
  clock.wall += 400
  assert.equal((await store.get('k')).ttlMs, 600)
  clock.wall += 600
  assert.equal(await store.get('k'), undefined)
})

test('a record can be deleted, and stores share nothing', async () => {
  const { store } = world()
  const { store: other } = world()
  await store.set('k', 'text', { ttlMs: 1000 })
  assert.equal(await other.get('k'), undefined)
  await store.delete('k')
  await store.delete('k')
  assert.equal(await store.get('k'), undefined)
})

test('one at a time holds the lock of a key; others get none until it is released', async () => {
  const { store } = world()
  const lock = await store.lock('k', { ttlMs: 1000 })
  assert.equal(await store.lock('k', { ttlMs: 1000 }), undefined)
  assert.notEqual(await store.lock('k2', { ttlMs: 1000 }), undefined)
  assert.equal(await lock.set('text', { ttlMs: 50 }), true)
  assert.deepEqual(await store.get('k'), { text: 'text', ttlMs: 50 })
  await lock.release()
  const next = await store.lock('k', { ttlMs: 1000 })
  assert.notEqual(next, undefined)
  assert.equal(await lock.set('late', { ttlMs: 50 }), false, 'a lock that was released')
  await lock.release()
  assert.equal(await store.lock('k', { ttlMs: 1000 }), undefined, 'the next one still holds it')
  assert.equal((await store.get('k')).text, 'text')
})

test('a lease that is over is lost: its holder writes nothing, and frees nobody else’s', async () => {
  const { clock, store } = world()
  const slow = await store.lock('k', { ttlMs: 1000 })
  clock.mono += 999
  assert.equal(await store.lock('k', { ttlMs: 1000 }), undefined)
  clock.mono += 1
  assert.equal(await slow.set('late', { ttlMs: 50 }), false)
  const next = await store.lock('k', { ttlMs: 1000 })
  assert.equal(await next.set('newer', { ttlMs: 50 }), true)
  assert.equal(await slow.set('late', { ttlMs: 50 }), false)
  await slow.release()
  assert.equal(await store.lock('k', { ttlMs: 1000 }), undefined)
  assert.equal((await store.get('k')).text, 'newer')
})

test('a store that is printed shows nothing of what it keeps', async () => {
  const { store } = world()
  await store.set(`${SENTINEL}-key`, SENTINEL, { ttlMs: 1000 })
  assertNoSecret(store)
})
