// The world of the virtual days: random numbers by seed, time with its two clocks, and a service with
// faults.

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
const LONGEST_LIFE = 2 * HOUR

/** @param {number} seed */
export function prng(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    chance: (share) => next() < share,
    below: (bound) => next() * bound,
    pick: (list) => list[Math.floor(next() * list.length)],
  }
}

/** True time, what passes in it, and the two clocks that the session sees. */
export function createTime(random) {
  const time = { now: Date.UTC(2026, 0, 1), wallOff: random.below(DAY) - DAY / 2, monoLost: 0 }
  let timers = []
  let lastMove = { kind: 'wall', at: 0 }
  const clock = {
    now: () => time.now + time.wallOff,
    monotonic: () => time.now - time.monoLost,
    random: random.next,
    sleep: (ms, { signal } = {}) => time.later(ms, signal),
  }
  /** Resolves when so much true time has passed. */
  time.later = (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = { at: time.now + ms, resolve }
      timers.push(timer)
      signal?.addEventListener('abort', () => {
        timers = timers.filter((other) => other !== timer)
        reject(signal.reason)
      })
    })
  const wakeUntil = async (end) => {
    for (;;) {
      const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) return
      timers = timers.filter((other) => other !== due)
      time.now = Math.max(time.now, due.at)
      due.resolve()
      await turns(3)
    }
  }
  time.pass = async (ms) => {
    const end = time.now + ms
    await wakeUntil(end)
    time.now = end
  }
  /** Time passes until something has settled. */
  time.until = async (promise) => {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    for (;;) {
      await turns(3)
      if (isSettled) return promise
      await time.pass(50)
    }
  }
  const mayMove = (kind) => {
    if (kind !== lastMove.kind && time.now - lastMove.at <= LONGEST_LIFE + 2 * MINUTE) return false
    lastMove = { kind, at: time.now }
    return true
  }
  time.jump = (ms) => {
    if (!mayMove('wall')) return false
    time.wallOff += ms
    return true
  }
  time.stopWall = async (ms) => {
    if (!mayMove('wall')) return false
    const stood = clock.now()
    const { now } = clock
    clock.now = () => stood
    await time.pass(ms)
    clock.now = now
    time.wallOff -= ms
    lastMove.at = time.now
    return true
  }
  /** Nothing runs meanwhile; what came due is seen on waking. */
  time.sleep = async (ms) => {
    if (!mayMove('mono')) return false
    time.now += ms
    time.monoLost += ms
    lastMove.at = time.now
    await wakeUntil(time.now)
    return true
  }
  return { time, clock }
}

export async function turns(count) {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

/** The service: what it says is drawn; what it gave, and when that truly ends, is written down. */
export function createService({ random, time, clock, atUaa, fail }) {
  const service = {
    requests: 0,
    revoked: 0,
    ends: new Map(),
    held: undefined,
    isBad: false,
    refuses: false,
  }
  let active = 0
  let serial = 0
  let liveRefresh
  const answer = (status, body, headers = {}) =>
    new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
  const refusal = () =>
    atUaa
      ? answer(401, { error: 'unauthorized', error_description: 'Bad credentials' })
      : answer(400, { errorCode: 'BXNIM0415E', errorMessage: 'not found' })
  const refreshRefusal = () =>
    atUaa
      ? answer(401, { error: 'invalid_token', error_description: 'revoked' })
      : answer(400, { errorCode: 'BXNIM0408E', errorMessage: 'ended' })
  const faults = [
    () => answer(500, { error: 'server_error' }),
    () => answer(503, '<html>busy</html>', { 'content-type': 'text/html' }),
    () => answer(429, 'slow down', { 'retry-after': String(1 + Math.floor(random.below(90))) }),
    () =>
      answer(503, '', {
        date: new Date(time.now).toUTCString(),
        'retry-after': new Date(time.now + random.below(90_000)).toUTCString(),
      }),
    () => answer(429, ''),
    () => answer(400, '<html>proxy</html>', { 'content-type': 'text/html' }),
    () => answer(401, ''),
    () => answer(200, '{"access_token":"A'),
    () => answer(200, { access_token: 'never', token_type: 'Bearer', expires_in: 0 }),
    () => answer(200, { access_token: 'never', token_type: 'Bearer', expires_in: '-5' }),
    () => answer(200, { access_token: 'never', token_type: 'Bearer' }),
  ]
  const grant = (sent) => {
    serial += 1
    const token = `T${serial}`
    const life = random.chance(0.05) ? 5 : random.pick([300, 1200, 3600, 3600, 7200])
    service.ends.set(token, time.now + life * SECOND)
    liveRefresh = atUaa || random.chance(0.3) ? `R${serial}` : undefined
    const body = {
      access_token: token,
      token_type: 'bearer',
      expires_in: random.chance(0.3) ? String(life) : life,
      refresh_token: liveRefresh,
    }
    const headers = { date: new Date(time.now).toUTCString() }
    const response = answer(200, body, headers)
    return { response, held: { token, lifeMs: life * SECOND, ...sent } }
  }
  const respond = (form, sent) => {
    if (service.isBad && random.chance(0.6)) return { response: random.pick(faults)() }
    const isRefresh = form.get('grant_type') === 'refresh_token'
    if (isRefresh && (form.get('refresh_token') !== liveRefresh || random.chance(0.1))) {
      return { response: refreshRefusal() }
    }
    if (!isRefresh && service.refuses) return { response: refusal() }
    return grant(sent)
  }
  service.fetch = async (_url, { body, signal }) => {
    const form = new URLSearchParams(body)
    if (!form.has('grant_type')) {
      service.revoked += 1
      return answer(200, '')
    }
    const sent = { wall: clock.now(), mono: clock.monotonic() }
    service.requests += 1
    active += 1
    if (active > 1) fail('two exchanges at once')
    service.onRequest(sent)
    try {
      await time.later(random.chance(0.05) ? random.below(40 * SECOND) : random.below(800), signal)
      if (service.isBad && random.chance(0.2)) throw new TypeError('fetch failed')
      const { response, held } = respond(form, sent)
      // The answer is lost, what it gave is spent.
      if (service.isBad && random.chance(0.1)) throw new TypeError('fetch failed')
      await time.later(random.chance(0.05) ? random.below(10 * SECOND) : random.below(200), signal)
      if (held !== undefined) service.delivered = held
      return response
    } finally {
      active -= 1
    }
  }
  return service
}
