/** @import { Scenario } from '../lib/scenario.mjs' */

/** @type {Scenario} */
export default {
  title: 'Memory after 200,000 warm calls, and after 20,000 exchanges: is it flat?',
  note: 'One session, answered from memory. The heap after the garbage is gone, at each quarter; the core’s memory as it stands.',
  kind: 'own',
  figures: {
    heap25: 'heap KB at 25 %',
    heap50: 'heap KB at 50 %',
    heap75: 'heap KB at 75 %',
    heap100: 'heap KB at 100 %',
    wasm25: 'wasm KB at 25 %',
    wasm50: 'wasm KB at 50 %',
    wasm75: 'wasm KB at 75 %',
    wasm100: 'wasm KB at 100 %',
  },
  prints: () => '200000 right',
  subjects: [
    { name: '200,000 warm calls', file: 'heap/memory.mjs', call: 'warmCalls' },
    {
      name: '20,000 exchanges',
      file: 'heap/memory.mjs',
      call: 'exchanges',
      prints: '20000 right',
    },
  ],
}
