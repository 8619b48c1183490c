// Days of a session in virtual time: a service with faults, clocks that are moved, callers that come at
// random, and an oracle that knows the true time.
//
// The clocks may be moved so: the wall clock jumps to and fro and stands still, or the machine sleeps
// (only the wall clock goes on); not both within the life of one token, for then no clock tells what has
// passed. The service lets no token live longer than two hours here, so that this can be kept apart.
// A seed fixes what is drawn; in what turn of the event loop an answer is read it does not, so that two
// runs of a seed are alike and not equal.
import assert from 'node:assert/strict'
import { isAuthError, login } from 'keyprotect-auth'
import {
  createService,
  createTime,
  DAY,
  HOUR,
  MINUTE,
  prng,
  SECOND,
  turns,
} from './virtual-world.mjs'

const RETRIES = 2
const REFUSALS = ['invalid_credentials', 'expired', 'mfa_required', 'forbidden']
const PASSING = ['network', 'timeout', 'server_error', 'rate_limited', 'protocol']

/** What the policy allows, worked out anew from api.md: why an exchange may begin, and how often. */
function createOracle({ time, clock, service, figures, fail }) {
  const oracle = { refreshing: 0, wants: 0 }
  let exchange
  let failures = { count: 0, mono: 0 }
  let refused = { count: 0, until: Number.NEGATIVE_INFINITY }
  const left = (held) =>
    Math.min(held.wall + held.lifeMs - clock.now(), held.mono + held.lifeMs - clock.monotonic())
  const margin = (held) => Math.min(MINUTE, held.lifeMs / 5)
  /** The token that must be handed out now to one who wants so much of it. */
  oracle.good = (minValidMs) => {
    const { held } = service
    if (held === undefined) return undefined
    const rest = left(held)
    return rest > 0 && rest >= (minValidMs ?? margin(held)) ? held.token : undefined
  }
  service.onRequest = ({ mono }) => {
    if (exchange !== undefined) {
      exchange.requests += 1
      if (exchange.requests > 2 * (RETRIES + 1)) fail('more requests than one exchange may have')
      return
    }
    exchange = { requests: 1, mono }
    if (oracle.refreshing > 0) return
    if (mono < refused.until - 1) fail('a refused credential was sent while it is held back')
    const { held } = service
    const isDue = held === undefined || left(held) <= 0.28 * held.lifeMs + 1
    if (!isDue && oracle.wants === 0) fail('an exchange without need')
  }
  oracle.onEvent = (event) => {
    if (event.type !== 'exchange') return
    figures.exchanges += 1
    const { code, isBackground } = event
    if (isBackground && exchange !== undefined && failures.count > 0) {
      const wait = Math.min(MINUTE, SECOND * 2 ** (failures.count - 1)) / 2
      if (exchange.mono - failures.mono < wait - 1) fail('a renewal before its wait was over')
    }
    const mono = clock.monotonic()
    if (code === undefined) {
      service.held = service.delivered
      failures = { count: 0, mono: 0 }
      refused = { count: 0, until: Number.NEGATIVE_INFINITY }
    } else if (REFUSALS.includes(code)) {
      const hold = Math.min(HOUR, MINUTE * 2 ** refused.count)
      refused = { count: refused.count + 1, until: mono + hold }
      figures.refusals += 1
    } else if (code !== 'aborted') {
      failures = { count: failures.count + 1, mono }
      figures.failures += 1
    }
    exchange = undefined
  }
  /** @param {string} token */
  oracle.handedOut = (token) => {
    figures.handedOut += 1
    const end = service.ends.get(token)
    if (end === undefined) fail(`a token that nobody gave: ${token}`)
    if (end <= time.now) fail(`${token} was handed out ${time.now - end} ms after its end`)
  }
  return oracle
}

/** One caller: what it asked, and that it got what it must. */
async function call({ session, service, kind, random, time, oracle, figures, fail, life }) {
  const minValidMs = random.chance(0.2)
    ? random.pick([0, 1, 5 * SECOND, 10 * MINUTE, HOUR, 3 * HOUR])
    : undefined
  const controller = random.chance(0.15) ? new AbortController() : undefined
  const signal = controller?.signal
  if (controller !== undefined) {
    const isBefore = random.chance(0.3)
    if (isBefore) controller.abort()
    else time.later(random.below(5 * SECOND)).then(() => controller.abort())
  }
  const must = signal?.aborted ? undefined : oracle.good(minValidMs)
  const options =
    minValidMs === undefined && signal === undefined
      ? undefined
      : { ...(minValidMs === undefined ? {} : { minValidMs }), ...(signal ? { signal } : {}) }
  const byHeaders = options === undefined && random.chance(0.3)
  const isWish = must === undefined
  if (isWish) oracle.wants += 1
  try {
    const token = byHeaders
      ? (await session.headers()).Authorization.slice('Bearer '.length)
      : await session[`${kind}Token`](options)
    oracle.handedOut(token)
    // A newer answer may be there that the session has not told of yet.
    const isHeld = token === must || token === service.delivered?.token
    if (must !== undefined && !isHeld) fail('a caller got another token than the good one')
  } catch (error) {
    figures.rejections += 1
    if (!isAuthError(error)) throw error
    const { code } = error
    if (must !== undefined) fail(`a good token was there, and a caller got ${code}`)
    const isKnown =
      PASSING.includes(code) ||
      REFUSALS.includes(code) ||
      (code === 'unavailable' && minValidMs !== undefined) ||
      (code === 'aborted' && (signal?.aborted || life.isOver))
    if (!isKnown) fail(`a caller got ${code}: ${error.message}`)
  } finally {
    if (isWish) oracle.wants -= 1
  }
}

/**
 * Lives so many days. Throws, with the seed, where something was wrong.
 * @param {{ seed: number, days: number }} options
 */
export async function live({ seed, days }) {
  const random = prng(seed)
  const figures = {
    seed,
    days,
    sessions: 0,
    requests: 0,
    exchanges: 0,
    failures: 0,
    refusals: 0,
    handedOut: 0,
    rejections: 0,
    wallMoves: 0,
    sleeps: 0,
  }
  const { time, clock } = createTime(random)
  const begun = time.now
  const wrongs = []
  const fail = (what) => {
    wrongs.push(what)
    const day = ((time.now - begun) / DAY).toFixed(3)
    throw new assert.AssertionError({ message: `seed ${seed}, day ${day}: ${what}` })
  }
  const check = () => {
    if (wrongs.length > 0) fail(wrongs[0])
  }
  while (time.now - begun < days * DAY) {
    await oneSession({ random, time, clock, figures, fail, check, end: begun + days * DAY })
    figures.sessions += 1
  }
  return figures
}

async function oneSession({ random, time, clock, figures, fail, check, end }) {
  const atUaa = random.chance(0.6)
  const kind = atUaa ? 'uaa' : 'iam'
  const service = createService({ random, time, clock, atUaa, fail })
  const oracle = createOracle({ time, clock, service, figures, fail })
  const options = {
    endpoints: { [kind]: `https://${kind}.example.test` },
    fetch: service.fetch,
    onEvent: oracle.onEvent,
    retries: RETRIES,
    clock,
  }
  const credential = atUaa ? { username: 'u', password: 'p' } : { apiKey: 'K' }
  const signingIn = login(credential, options)
  const session = await time.until(signingIn)
  const life = { isOver: false }
  const last = Math.min(end, time.now + DAY + random.below(20 * DAY))
  const callers = new Set()
  const enter = () => {
    const one = call({ session, service, kind, random, time, oracle, figures, fail, life })
    callers.add(one)
    one.catch(() => {}).finally(() => callers.delete(one))
  }
  let weather = 0
  while (time.now < last) {
    if (time.now >= weather) {
      service.isBad = random.chance(0.3)
      service.refuses = random.chance(0.12)
      weather = time.now + random.below(5 * HOUR)
    }
    const burst = random.chance(0.03) ? 30 : Math.floor(random.below(4))
    for (let count = 0; count < burst; count += 1) enter()
    if (random.chance(0.01)) {
      oracle.refreshing += 1
      session
        .refresh()
        .catch(() => {})
        .finally(() => {
          oracle.refreshing -= 1
        })
    }
    await turns(2)
    check()
    await step(random, time, figures)
    await turns(1)
    check()
  }
  if (random.chance(0.5)) enter()
  life.isOver = true
  const leaving = random.chance(0.5) ? session.logout() : session[Symbol.asyncDispose]()
  await time.until(leaving)
  await time.pass(10 * MINUTE)
  await turns(5)
  check()
  if (callers.size > 0) fail('a caller waits for ever')
  for (const late of [session[`${kind}Token`](), session.headers()]) {
    const code = await late.then(
      () => 'a token',
      (error) => error.code,
    )
    if (code !== 'expired') fail(`after the end of the session a caller got ${code}`)
  }
  figures.requests += service.requests
}

/** Time goes on, now and then with a clock that is moved. */
async function step(random, time, figures) {
  const move = random.next()
  if (move < 0.02) {
    if (time.jump((random.next() - 0.5) * random.pick([MINUTE, HOUR, DAY]))) figures.wallMoves += 1
  } else if (move < 0.03) {
    if (await time.stopWall(random.below(3 * HOUR))) figures.wallMoves += 1
  } else if (move < 0.05) {
    if (await time.sleep(random.below(10 * HOUR))) figures.sleeps += 1
  }
  const share = random.next()
  if (share < 0.35) await time.pass(random.below(3 * SECOND))
  else if (share < 0.7) await time.pass(random.below(MINUTE))
  else if (share < 0.97) await time.pass(random.below(15 * MINUTE))
  else await time.pass(random.below(5 * HOUR))
}
