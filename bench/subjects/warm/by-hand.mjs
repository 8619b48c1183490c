// The shortest cache that is right when a laptop sleeps and when its clock is set: it compares both
// clocks, and returns the same promise while the token is fresh.
const { IAM_URL, IAM_API_KEY } = process.env
const MARGIN_MS = 60_000

let held
let staleWall = 0
let staleMono = 0

function token() {
  if (held !== undefined && Date.now() < staleWall && performance.now() < staleMono) return held
  const wall = Date.now()
  const mono = performance.now()
  held = request().then(({ access_token: accessToken, expires_in: expiresIn }) => {
    staleWall = wall + expiresIn * 1000 - MARGIN_MS
    staleMono = mono + expiresIn * 1000 - MARGIN_MS
    return accessToken
  })
  return held
}

async function request() {
  const response = await fetch(`${IAM_URL}/identity/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
      apikey: IAM_API_KEY,
    }),
  })
  if (!response.ok) throw new Error(`IAM answered with status ${response.status}`)
  return response.json()
}

export async function iamToken() {
  await token()
  return { call: () => token(), shown: (accessToken) => accessToken.length }
}

export async function headers() {
  await token()
  return {
    call: async () => ({ Authorization: `Bearer ${await token()}` }),
    shown: ({ Authorization }) => Authorization.length,
  }
}
