// What subjects share: how many requests an IAM had, and an IAM within the process.

/** @param {string} url any address of the server @returns {Promise<number>} */
export async function requestsAt(url) {
  return (await fetch(new URL('/requests', url))).json()
}

/**
 * Answers from memory, as long as a real IAM does, with another token each time.
 * @returns {Promise<{ fetch: () => Promise<Response>, adapter: (config: object) => Promise<object>,
 *   last: () => string }>} `adapter`: the same for axios; `last`: the newest token
 */
export async function memoryIam() {
  const { IAM_URL, IAM_API_KEY } = process.env
  const response = await fetch(`${IAM_URL}/identity/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
      apikey: IAM_API_KEY,
    }),
  })
  const text = await response.text()
  const { access_token: token } = JSON.parse(text)
  const at = text.indexOf(token)
  const [begin, end] = [text.slice(0, at + token.length - 8), text.slice(at + token.length)]
  let count = 0
  const number = () => String(count).padStart(8, '0')
  const next = () => {
    count += 1
    return begin + number() + end
  }
  const headers = { 'Content-Type': 'application/json' }
  return {
    fetch: async () => new Response(next(), { headers }),
    adapter: async (config) => ({ data: next(), status: 200, statusText: 'OK', headers, config }),
    last: () => token.slice(0, -8) + number(),
  }
}
