/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: '1,000 sessions in one process: heap bytes of each',
  note: 'Each with an API key and a token of its own. The second figure leaves out these two strings.',
  kind: 'own',
  figures: { bytes: 'heap bytes', beside: 'of them beside the two strings' },
  prints: ({ tokenLength }) => `1000 tokens of ${tokenLength} characters`,
  subjects: [
    { name: 'keyprotect-auth', file: 'heap/sessions.mjs', call: 'ours' },
    { name: 'ibm-cloud-sdk-core', file: 'heap/sessions.mjs', call: 'sdk' },
    {
      name: 'the two strings alone',
      file: 'heap/sessions.mjs',
      call: 'strings',
      prints: 'strings',
    },
  ],
}
