/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: 'Cold script: a fresh Node process that gets one IAM token by API key and ends',
  note: 'All ask the same IAM: the emulator, in a process of its own, over loopback HTTP.',
  kind: 'process',
  prints: ({ tokenLength }) => String(tokenLength),
  subjects: [
    { name: 'keyprotect-auth', file: 'cold/keyprotect-auth.mjs' },
    { name: 'fetch by hand', file: 'cold/fetch.mjs' },
    { name: 'ibm-cloud-sdk-core', file: 'cold/ibm-cloud-sdk-core.mjs' },
    { name: 'node alone', file: 'cold/node-alone.mjs', prints: '0' },
  ],
}
