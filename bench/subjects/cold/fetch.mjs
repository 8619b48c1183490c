// What a careful person writes by hand for one token: no retry, no time limit, no typed error.
const { IAM_URL, IAM_API_KEY } = process.env
const response = await fetch(`${IAM_URL}/identity/token`, {
  method: 'POST',
  headers: { Accept: 'application/json' },
  body: new URLSearchParams({
    grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
    apikey: IAM_API_KEY,
  }),
})
if (!response.ok) throw new Error(`IAM answered with status ${response.status}`)
const { access_token: token } = await response.json()
console.log(token.length)
