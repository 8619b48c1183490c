/**
 * The pages for people: sign in with a browser, get a passcode. IAM and UAA have the same ones.
 */

import { cookie, FORM_TYPE, mediaType, wantsJson } from './http.js'
import { checkPassword, givePasscode, isLocked, userByGuid, usersNamed } from './people.js'

/** @import { Call, Reply } from './types.js' */

const COOKIES = { iam: 'IAM_EMULATOR_SESSION', uaa: 'JSESSIONID' }

/**
 * @param {string} title
 * @param {string} body HTML
 * @param {number} [status]
 * @returns {Reply}
 */
export function page(title, body, status = 200) {
  return {
    status,
    headers: {
      'Content-Type': 'text/html;charset=UTF-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body { font: 1rem/1.5 sans-serif; margin: 3rem auto; max-width: 24rem; padding: 0 1rem }
label, input { display: block; width: 100%; box-sizing: border-box }
input, button { font: inherit; padding: .4rem; margin-bottom: 1rem }</style>
<h1>${title}</h1>
${body}
</html>
`,
  }
}

/**
 * @param {string} location
 * @param {Record<string, string>} [headers]
 * @returns {Reply}
 */
export function redirect(location, headers = {}) {
  return { status: 302, headers: { Location: location, ...headers }, body: '' }
}

/**
 * The form, which posts to `{base}/login.do`.
 * @param {Call} call
 * @param {string} returnTo absolute
 */
export function signInPage(call, returnTo) {
  const error = call.query.get('error')
  const said =
    error === 'account_locked'
      ? 'Your account has been locked because of too many failed attempts to login.'
      : 'Unable to verify email or password. Please try again.'
  return page(
    'Sign in (emulator)',
    `${error === null ? '' : `<p role="alert">${said}</p>`}
<form method="post" action="${call.base}/login.do">
<label for="username">Email</label>
<input id="username" name="username" autocomplete="username" autofocus required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<input name="form_redirect_uri" type="hidden" value="${escaped(returnTo)}">
<button>Sign in</button>
</form>`,
  )
}

/**
 * @param {Call} call
 * @param {'iam' | 'uaa'} service
 * @param {{ home: string, again: string }} paths where to go then, and where the form is
 */
export function signIn(call, service, { home, again }) {
  const { world, data, base } = call
  const form = new URLSearchParams(mediaType(call.headers) === FORM_TYPE ? call.body : '')
  const asked = form.get('form_redirect_uri')
  // Never away from this service: an open redirect is no better in an emulator.
  const returnTo = asked?.startsWith(`${base}/`) ? new URL(asked).href : `${base}${home}`
  const failed = (/** @type {string} */ error) => {
    const query = new URLSearchParams({ error, form_redirect_uri: returnTo })
    return redirect(`${base}${again}?${query}`)
  }
  const users = usersNamed(data, form.get('username') ?? '')
  if (users.some((user) => isLocked(world, user))) return failed('account_locked')
  const user = users.find((one) => checkPassword(world, one, form.get('password') ?? ''))
  if (!user) return failed('login_failure')
  const id = world.id('session')
  world.sessions.set(id, user.guid)
  const attributes = `Path=${new URL(base).pathname}; HttpOnly; SameSite=Lax`
  const secure = base.startsWith('https:') ? '; Secure' : ''
  return redirect(returnTo, { 'Set-Cookie': `${COOKIES[service]}=${id}; ${attributes}${secure}` })
}

/**
 * @param {Call} call
 * @param {'iam' | 'uaa'} service
 */
export function signedIn({ world, data, headers }, service) {
  const guid = world.sessions.get(cookie(headers, COOKIES[service]) ?? '')
  return guid === undefined ? undefined : userByGuid(data, guid)
}

/**
 * @param {Call} call
 * @param {'iam' | 'uaa'} service
 */
export function signOut({ world, headers }, service) {
  world.sessions.delete(cookie(headers, COOKIES[service]) ?? '')
}

/**
 * A new passcode for the user of this browser session: a page, or a bare JSON string.
 * @param {Call} call
 * @param {'iam' | 'uaa'} service
 * @returns {Reply | undefined} undefined without a session
 */
export function passcodePage(call, service) {
  const user = signedIn(call, service)
  if (!user) return undefined
  const code = givePasscode(call.world, user, [service])
  if (wantsJson(call.headers)) {
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
      body: JSON.stringify(code),
    }
  }
  return page(
    'Temporary authentication code',
    `<p>For ${escaped(user.userName)}, once, within five minutes:</p>
<p><code id="passcode">${code}</code></p>`,
  )
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
