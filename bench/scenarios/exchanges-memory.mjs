/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: '2,000 exchanges in sequence, answered from memory, so that their own cost shows',
  note: 'Every call of `fetch` (of axios’ adapter) gives a new answer of the size of IAM’s. By hand: `fetch` and `JSON.parse`, without a time limit.',
  kind: 'batch',
  prints: () => '2000 new tokens',
  subjects: [
    { name: 'keyprotect-auth', file: 'exchanges/keyprotect-auth.mjs', call: 'inMemory' },
    { name: 'fetch by hand', file: 'exchanges/by-hand.mjs', call: 'inMemory' },
    { name: 'ibm-cloud-sdk-core', file: 'exchanges/ibm-cloud-sdk-core.mjs', call: 'inMemory' },
  ],
}
