// What a real UAA answers (tests/real), asked of the emulator.
import { test } from 'node:test'
import { createEmulator } from 'keyprotect-auth/emulator'
import { uaaContract } from '../real/uaa-contract.mjs'

const user = { username: 'marissa', password: 'koala' }
const spare = { username: 'spare', password: 'spare' }
const other = { clientId: 'other', clientSecret: '' }
const machine = { clientId: 'machine', clientSecret: 'machine secret' }
const bearer = { clientId: 'bearer', clientSecret: 'bearer secret' }
const odd = { clientId: 'app|1', clientSecret: 'p+ss:wörd%' }
const grants = ['client_credentials']
const emulator = createEmulator({
  data: {
    users: [user, spare].map(({ username, password }) => ({ userName: username, password })),
    clients: [
      { service: 'iam', clientId: 'bx', clientSecret: 'bx' },
      { service: 'uaa', clientId: 'cf', clientSecret: '' },
      { service: 'uaa', ...other },
      { service: 'uaa', ...machine, grants, authorities: ['clients.admin', 'scim.read'] },
      {
        service: 'uaa',
        ...bearer,
        grants: ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'refresh_token'],
      },
      { service: 'uaa', ...odd, grants, authorities: ['uaa.resource'] },
    ],
  },
})

uaaContract({
  test,
  url: `${emulator.endpoints.base}/uaa`,
  fetch: emulator.fetch,
  user,
  passcode: async () => emulator.passcode(user.username),
  generation: 77,
  otherClient: other,
  machine,
  bearer,
  oddClient: odd,
  spareUser: spare,
})
