// `<kp-sign-in>`: the form. Gives the credential to `signIn` and shows what comes of it.
import { part, stamp } from './dom.js'

class SignIn extends HTMLElement {
  /** Values to prefill. @type {Record<string, string>} */
  demo = {}

  /** Set by the page: signs in, or throws. @type {(credential: any, account?: string) => Promise<void>} */
  signIn = async () => {}

  #isBusy = false

  connectedCallback() {
    this.replaceChildren(stamp('sign-in'))
    const isDemo = this.demo.apiKey !== undefined
    part(this, 'note').hidden = !isDemo
    for (const [name, value] of Object.entries(this.demo)) {
      const field = this.#form.elements.namedItem(name)
      if (field instanceof HTMLInputElement) field.value = value
    }
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit()
    })
    for (const radio of this.querySelectorAll('[name="mode"]')) {
      radio.addEventListener('change', () => this.#showMode())
    }
    this.#showMode()
  }

  get #form() {
    return this.querySelector('form')
  }

  get #mode() {
    return String(new FormData(this.#form).get('mode'))
  }

  /** The secret's field of the way that is chosen. */
  get #field() {
    return this.#form.elements.namedItem(this.#mode)
  }

  focus() {
    this.#field.focus()
  }

  /** @param {unknown} error */
  showError(error) {
    this.querySelector('kp-error').error = error
    const isRefused = error?.code === 'invalid_credentials'
    if (!isRefused) return
    this.#field.setAttribute('aria-invalid', 'true')
    this.#field.setAttribute('aria-errormessage', 'sign-in-error')
    this.#field.focus()
  }

  #clearError() {
    this.querySelector('kp-error').error = undefined
    for (const field of this.querySelectorAll('[aria-invalid]')) {
      field.removeAttribute('aria-invalid')
      field.removeAttribute('aria-errormessage')
    }
  }

  #showMode() {
    this.#clearError()
    const mode = this.#mode
    for (const set of this.querySelectorAll('fieldset[data-mode]')) {
      const isChosen = set.getAttribute('data-mode')?.split(' ').includes(mode) ?? false
      set.toggleAttribute('hidden', !isChosen)
      // What is disabled is neither checked nor read.
      set.toggleAttribute('disabled', !isChosen)
    }
    if (mode === 'passcode' && this.demo.apiKey !== undefined) this.#fillPasscode()
  }

  /** The emulator hands out the passcode that a person would copy from IAM's sign-in page. */
  async #fillPasscode() {
    const response = await fetch('/demo/passcode', { method: 'POST' }).catch(() => undefined)
    if (!response?.ok) return
    const { passcode } = await response.json()
    const field = this.#form.elements.namedItem('passcode')
    field.value = passcode
  }

  async #submit() {
    if (this.#isBusy) return
    this.#clearError()
    this.#setBusy(true)
    const values = Object.fromEntries(new FormData(this.#form))
    try {
      await this.signIn(credentialOf(this.#mode, values), values.account || undefined)
    } catch (error) {
      this.showError(error)
    } finally {
      this.#setBusy(false)
    }
  }

  /** @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#isBusy = isBusy
    const button = part(this, 'submit')
    // Not `disabled`: the button would lose the focus.
    button.setAttribute('aria-disabled', String(isBusy))
    button.textContent = isBusy ? 'Signing in …' : 'Sign in'
  }
}

/**
 * @param {string} mode
 * @param {Record<string, any>} values
 */
function credentialOf(mode, { apiKey, username, password, passcode }) {
  if (mode === 'apiKey') return { apiKey }
  return mode === 'password' ? { username, password } : { passcode }
}

customElements.define('kp-sign-in', SignIn)
