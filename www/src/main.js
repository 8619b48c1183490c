// The page: a form to sign in, then the dashboard. The session lives in this module's memory and
// nowhere else; a reload forgets it.
import { init, login } from '/pkg/index.js'
import { announce } from './dom.js'
import './copy.js'
import './dashboard.js'
import './error.js'
import './keys.js'
import './places.js'
import './sign-in.js'
import './tokens.js'

// The emulator here; a relay in a real dashboard: IBM's sign-in services answer no calls from
// other origins.
const endpoints = { base: location.origin }

const main = document.getElementById('main')

/** What the emulator's server offers to prefill; a real server has no such file. */
const demo = await fetch('/demo.json')
  .then((response) => (response.ok ? response.json() : {}))
  .catch(() => ({}))
document.getElementById('emulator-badge')?.toggleAttribute('hidden', demo.apiKey === undefined)

function showSignIn() {
  const form = document.createElement('kp-sign-in')
  form.demo = demo
  form.signIn = async (credential, account) => {
    const session = await login(credential, { endpoints, account })
    showDashboard(session)
  }
  main.replaceChildren(form)
  return form
}

/** @param {import('/pkg/index.js').Session} session */
function showDashboard(session) {
  const dashboard = document.createElement('kp-dashboard')
  dashboard.session = session
  dashboard.demo = demo
  dashboard.addEventListener('sign-out', () => {
    // Revokes what the services can revoke; the page need not wait for that.
    session.logout()
    showSignIn().focus()
    announce('Signed out')
  })
  main.replaceChildren(dashboard)
  dashboard.focus()
  announce(`Signed in as ${session.target().user ?? 'unknown'}`)
}

showSignIn()
// Loads the wasm while the person types, and tells at once if it cannot be loaded.
init().catch((error) => main.querySelector('kp-sign-in')?.showError(error))
