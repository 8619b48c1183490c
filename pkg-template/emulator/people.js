/**
 * Users as both sign-in services know them: names, passwords, passcodes and browser sessions.
 */

import { sameName } from './data.js'

/** @import { Call, FullData, User } from './types.js' */
/** @import { World } from './world.js' */

const PASSCODE_LIFE = 5 * 60_000
const LOCK_AFTER = 5
const LOCKED_FOR = 300_000
const FAILURES_COUNT_FOR = 1_200_000

/**
 * @param {FullData} data
 * @param {string} userName any case
 * @param {string[]} [origins] in the order to try
 * @returns {User[]}
 */
export function usersNamed(data, userName, origins) {
  const named = data.users.filter((user) => sameName(user.userName, userName))
  if (!origins) return named
  return origins.flatMap((origin) => named.filter((user) => user.origin === origin))
}

/**
 * @param {FullData} data
 * @param {string} guid
 */
export function userByGuid(data, guid) {
  return data.users.find((user) => user.guid === guid)
}

/**
 * @param {FullData} data
 * @param {string} iamId
 */
export function userByIamId(data, iamId) {
  return data.users.find((user) => user.iamId === iamId)
}

/**
 * UAA's lock-out policy, for its own users: five wrong passwords in a row lock for 300 s.
 * @param {World} world
 * @param {User} user
 */
export function isLocked(world, user) {
  const now = world.now()
  const counted = (world.failures.get(user.guid) ?? []).filter(
    (instant) => instant > now - FAILURES_COUNT_FOR,
  )
  const last = counted.at(-1)
  return counted.length >= LOCK_AFTER && last !== undefined && last > now - LOCKED_FOR
}

/**
 * @param {World} world
 * @param {User} user
 * @param {string} password
 * @returns {boolean} whether it is right; a wrong one is counted, a right one clears the count
 */
export function checkPassword(world, user, password) {
  if (user.password !== undefined && user.password === password) {
    world.failures.delete(user.guid)
    return true
  }
  if (user.origin === 'uaa') {
    world.failures.set(user.guid, [...(world.failures.get(user.guid) ?? []), world.now()])
  }
  return false
}

/**
 * A new passcode; the user's older one at these services ends.
 * @param {World} world
 * @param {User} user
 * @param {('iam' | 'uaa')[]} services
 */
export function givePasscode(world, user, services) {
  for (const [code, passcode] of world.passcodes) {
    const rival = passcode.services.some((service) => services.includes(service))
    if (passcode.owner === user.guid && rival) world.passcodes.delete(code)
  }
  const code = world.code('passcode')
  world.passcodes.set(code, { owner: user.guid, endsAt: world.now() + PASSCODE_LIFE, services })
  return code
}

/**
 * Reads a passcode, which uses it up.
 * @param {Call} call
 * @param {string} code
 * @param {'iam' | 'uaa'} service
 * @returns {User | undefined}
 */
export function takePasscode({ world, data }, code, service) {
  const passcode = world.passcodes.get(code)
  if (!passcode?.services.includes(service)) return undefined
  world.passcodes.delete(code)
  return passcode.endsAt > world.now() ? userByGuid(data, passcode.owner) : undefined
}
