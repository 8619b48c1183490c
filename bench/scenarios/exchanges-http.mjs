/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: '2,000 exchanges in sequence, over loopback HTTP',
  note: 'The server is a process of its own and answers as fast as Node can. By hand: `fetch` and `JSON.parse`, without a time limit.',
  kind: 'batch',
  prints: () => '2000 new tokens',
  subjects: [
    { name: 'keyprotect-auth', file: 'exchanges/keyprotect-auth.mjs', call: 'overHttp' },
    { name: 'fetch by hand', file: 'exchanges/by-hand.mjs', call: 'overHttp' },
    { name: 'ibm-cloud-sdk-core', file: 'exchanges/ibm-cloud-sdk-core.mjs', call: 'overHttp' },
  ],
}
