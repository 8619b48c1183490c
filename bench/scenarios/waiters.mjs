/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: '10,000 callers at once while no token is good: until all have it',
  note: 'Over loopback HTTP, one request. Our session’s clock is moved past the token’s end; the cache by hand is ended by a variable, `ibm-cloud-sdk-core` is new each time.',
  kind: 'batch',
  prints: ({ tokenLength }) => `10000 callers, 1 request, ${tokenLength} characters`,
  subjects: [
    { name: 'keyprotect-auth', file: 'waiters/keyprotect-auth.mjs' },
    { name: 'cache by hand', file: 'waiters/by-hand.mjs' },
    { name: 'ibm-cloud-sdk-core', file: 'waiters/ibm-cloud-sdk-core.mjs' },
  ],
}
