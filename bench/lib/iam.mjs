// The emulator's IAM over loopback HTTP. Runs in the app that has the package installed.
import { createEmulator } from 'keyprotect-auth/emulator'
import { serve } from 'keyprotect-auth/node'

const emulator = createEmulator()
const server = await serve(async (request) => {
  const response = await emulator.fetch(request)
  // The log of requests would grow with each round.
  emulator.requests.clear()
  return response
})
const url = `${server.url}/iam`
const { apiKey } = emulator.credential

// A token by hand, to know how long a real one is.
const body = new URLSearchParams({
  grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
  apikey: apiKey,
})
const response = await fetch(`${url}/identity/token`, { method: 'POST', body })
const { access_token: token } = await response.json()

process.once('disconnect', () => process.exit())
process.send?.({ url, apiKey, tokenLength: token.length })
