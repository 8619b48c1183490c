// `<kp-dashboard>`: what a session has to show. Sends `sign-out`.
import { part, stamp } from './dom.js'

class Dashboard extends HTMLElement {
  /** @type {import('/pkg/index.js').Session} */
  session
  /** Names to prefill. @type {Record<string, string>} */
  demo = {}

  connectedCallback() {
    const content = stamp('dashboard')
    const { user, account, region } = this.session.target()
    part(content, 'user').textContent = user ?? 'unknown'
    part(content, 'account').textContent = account ?? 'none chosen'
    part(content, 'region').textContent = region ?? ''
    part(content, 'sign-out').addEventListener('click', () => {
      this.dispatchEvent(new Event('sign-out'))
    })
    const names = ['kp-places', 'kp-tokens', 'kp-keys']
    const [places, tokens, keys] = names.map((name) => content.querySelector(name))
    places.session = this.session
    places.demo = this.demo
    tokens.session = this.session
    // A session that is aimed at the instance, or none where it was not found.
    places.addEventListener('aimed', ({ detail }) => {
      keys.session = detail
      const found = detail?.target().region
      if (found !== undefined) part(this, 'region').textContent = found
    })
    this.replaceChildren(content)
  }

  focus() {
    this.querySelector('#who-title')?.focus()
  }
}

customElements.define('kp-dashboard', Dashboard)
