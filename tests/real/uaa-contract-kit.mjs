// What the halves of the UAA contract share: how to ask, and how to read what comes.

import assert from 'node:assert/strict'

/**
 * What changed between releases. 4 is the server that runs in the tests; 77 is a current one as
 * its source has it. Everything else in this file holds for both.
 */
const GENERATIONS = {
  4: {
    refused: 'unauthorized',
    basicIsFormEncoded: false,
    noRefreshToken: [401, 'invalid_token'],
    passcode: /^[\w-]{10}$/,
    // RFC 7518, section 6.3.1.1 forbids the extra octet, and Chromium imports no such key.
    modulusHasSignByte: true,
  },
  77: {
    refused: 'invalid_client',
    basicIsFormEncoded: true,
    noRefreshToken: [400, 'invalid_request'],
    passcode: /^[\w-]{32}$/,
    modulusHasSignByte: false,
  },
}

export const ORIGIN = 'https://app.example.test'

/** @typedef {{ clientId: string, clientSecret: string }} Client */
/** @typedef {{ username: string, password: string }} User */

/**
 * @param {import('./uaa-contract.mjs').ContractOptions} options
 */
export function contractKit({
  test,
  url,
  fetch,
  user,
  generation = 77,
  client = { clientId: 'cf', clientSecret: '' },
}) {
  const rules = GENERATIONS[generation]
  const json = { accept: 'application/json' }

  /** @param {string} path @param {Record<string, string>} [headers] @param {string} [method] */
  const ask = async (path, headers = json, method = 'GET') =>
    read(await fetch(url + path, { method, headers, redirect: 'manual' }))

  /** @param {string} path @param {Record<string, string>} form @param {Record<string, string>} [headers] */
  const send = async (path, form, headers = { authorization: basic(client) }) =>
    read(
      await fetch(url + path, {
        method: 'POST',
        headers: { ...json, 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(form).toString(),
        redirect: 'manual',
      }),
    )

  /** @param {Record<string, string>} form @param {Record<string, string>} [headers] */
  const grant = (form, headers) => send('/oauth/token', form, headers)

  /** @param {Record<string, string>} [more] @param {Record<string, string>} [headers] */
  const password = (more, headers) => grant({ grant_type: 'password', ...user, ...more }, headers)

  /** @param {string} token @param {Record<string, string>} [more] @param {Record<string, string>} [headers] */
  const refresh = (token, more, headers) =>
    grant({ grant_type: 'refresh_token', refresh_token: token, ...more }, headers)

  /** @type {Promise<unknown>[]} */
  const registered = []
  /** @param {string} name @param {() => Promise<void>} run @param {Record<string, unknown>} [needed] */
  const pin = (name, run, needed = {}) => {
    const lacking = Object.keys(needed).find((what) => needed[what] === undefined)
    const skip = lacking === undefined ? false : `${lacking} is not given`
    registered.push(Promise.resolve(test(`UAA contract: ${name}`, { skip }, run)))
  }

  return { rules, json, ask, send, grant, password, refresh, pin, registered, client }
}

/** @param {Client} client @param {boolean} [encoded] RFC 6749, section 2.3.1 */
export function basic({ clientId, clientSecret }, encoded = true) {
  const form = (/** @type {string} */ text) =>
    encoded ? new URLSearchParams([['', text]]).toString().slice(1) : text
  return `Basic ${Buffer.from(`${form(clientId)}:${form(clientSecret)}`).toString('base64')}`
}

/** @param {Response} response */
export async function read(response) {
  const text = await response.text()
  /** @type {any} */
  let body
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  return { status: response.status, headers: response.headers, text, body }
}

/**
 * @param {Awaited<ReturnType<typeof read>>} answer
 * @param {unknown} status
 * @param {unknown} error
 * @param {RegExp} [description]
 */
export function refused({ status: gotStatus, body, text }, status, error, description) {
  assert.deepEqual([gotStatus, body?.error], [status, error], text)
  if (description) assert.match(body.error_description, description)
}
