/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: 'Warm headers: one awaited call for a fresh object with the header Authorization',
  note: 'Of ibm-cloud-sdk-core it is `authenticate`, which adds the header to a request.',
  kind: 'in-process',
  prints: ({ tokenLength }) => String('Bearer '.length + tokenLength),
  subjects: [
    { name: 'keyprotect-auth', file: 'warm/keyprotect-auth.mjs', call: 'headers' },
    { name: 'cache by hand', file: 'warm/by-hand.mjs', call: 'headers' },
    { name: 'ibm-cloud-sdk-core', file: 'warm/ibm-cloud-sdk-core.mjs', call: 'headers' },
  ],
}
