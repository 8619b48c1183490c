// An IAM token as a careful person gets it by hand: no retry, no time limit, no typed error.
/**
 * @param {typeof fetch} doFetch
 * @param {string} url
 * @returns {Promise<{ access_token: string, expires_in: number }>}
 */
export async function exchangeByHand(doFetch, url) {
  const response = await doFetch(`${url}/identity/token`, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
      apikey: process.env.IAM_API_KEY,
    }),
  })
  if (!response.ok) throw new Error(`IAM answered with status ${response.status}`)
  return JSON.parse(await response.text())
}
