import assert from 'node:assert/strict'
import { test } from 'node:test'
import { live } from './virtual-days.mjs'

test('in virtual days of faults and moved clocks no caller gets an ended token', async () => {
  for (const seed of [1, 2, 3]) {
    const figures = await live({ seed, days: 10 })
    assert.ok(figures.handedOut > 1000, JSON.stringify(figures))
    assert.ok(figures.failures > 10, JSON.stringify(figures))
    assert.ok(figures.sleeps + figures.wallMoves > 5, JSON.stringify(figures))
  }
})
