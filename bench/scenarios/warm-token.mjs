/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: 'Warm token: one awaited call for the IAM access token while it is fresh',
  note: 'By hand: a promise that is kept, and a look at both clocks.',
  kind: 'in-process',
  prints: ({ tokenLength }) => String(tokenLength),
  subjects: [
    { name: 'keyprotect-auth', file: 'warm/keyprotect-auth.mjs', call: 'iamToken' },
    { name: 'cache by hand', file: 'warm/by-hand.mjs', call: 'iamToken' },
    { name: 'ibm-cloud-sdk-core', file: 'warm/ibm-cloud-sdk-core.mjs', call: 'iamToken' },
  ],
}
